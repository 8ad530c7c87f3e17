import type { PeerCertificate } from 'node:tls';

/** One entry of Node's text for subject alternative names; a value that could mislead is a JSON string. */
const entry = /([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/y;

/**
 * The names that a client certificate carries: DNS and URI names (SPIFFE ids are URIs), then the common name.
 * Node quotes names that hold separators (CVE-2021-44532), so each is read as a whole and never searched for.
 */
export function clientNames(certificate: PeerCertificate): string[] {
  const names: string[] = [];
  for (const [kind, value] of alternativeNames(certificate.subjectaltname ?? '')) {
    if (kind === 'DNS' || kind === 'URI') names.push(value);
  }
  const commonName: unknown = certificate.subject?.CN;
  for (const name of Array.isArray(commonName) ? commonName : [commonName]) {
    if (typeof name === 'string' && name !== '') names.push(name);
  }
  return names;
}

function alternativeNames(text: string): [kind: string, value: string][] {
  const entries: [string, string][] = [];
  entry.lastIndex = 0;
  for (let match = entry.exec(text); match; match = entry.exec(text)) {
    const [, kind = '', value = ''] = match;
    entries.push([kind, value.startsWith('"') ? (JSON.parse(value) as string) : value]);
    if (entry.lastIndex === text.length) break;
  }
  return entries;
}
