import type { Member } from '#src/configuration/named-settings.ts';
import type { CredentialSettings, Settings } from '#src/configuration/settings.ts';
import { isLoopback, parseAddress } from '#src/listen-address.ts';

/** Without a credential the ingest is for this machine alone; with one, for whoever holds it. */
export function ingestAddress(settings: Settings, credentials: number): string {
  return settings['ingest.address'] ?? (credentials > 0 ? '0.0.0.0:6001' : '127.0.0.1:6001');
}

/** What the settings of the ingest demand of each other. */
export function brokenIngestRules(
  settings: Settings,
  credentials: readonly Member<CredentialSettings>[],
): string[] {
  const problems: string[] = [];
  const address = ingestAddress(settings, credentials.length);
  const isOpen = !isLoopback(parseAddress(address));
  if (isOpen && credentials.length === 0 && !settings['ingest.allowAnonymous']) {
    problems.push(
      `ingest.address (INGEST_ADDRESS): expected a credential for ${address}, which others reach; set INGEST_TOKEN_FILE, or INGEST_ALLOW_ANONYMOUS=true if everybody may raise an attack`,
    );
  }
  const hasCa = settings['ingest.tls.clientCaFile'] !== undefined;
  for (const { prefix, settings: credential } of credentials) {
    if (credential.tokenFile === undefined && credential.clientNames === undefined) {
      problems.push(
        `${prefix}tokenFile, ${prefix}clientNames: expected at least one of the two, got neither`,
      );
    }
    if (credential.clientNames !== undefined && !hasCa) {
      problems.push(`${prefix}clientNames: goes with ingest.tls.clientCaFile, which is missing`);
    }
  }
  if (hasCa && !credentials.some(({ settings: { clientNames } }) => clientNames !== undefined)) {
    problems.push(
      'ingest.tls.clientCaFile: expected ingest.clientNames beside it, or clientNames of a named credential: whom that CA signs may be many',
    );
  }
  return problems;
}
