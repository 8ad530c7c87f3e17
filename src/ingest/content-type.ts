import type { IncomingHttpHeaders } from 'node:http';

/** What a sender says its body is. */
export interface BodyType {
  /** Whether it can hold JSON at all. */
  readonly isJson: boolean;
  /** Undefined: one that we cannot undo. */
  readonly encoding: Encoding | undefined;
}

export type Encoding = 'identity' | 'gzip' | 'deflate';

/**
 * Types in which senders really deliver JSON: those with json in them (`application/cloudevents+json`, `x-ndjson`, `jsonl`),
 * none at all, `text/plain` (Falco without json_output, but also many a script), what curl's `-d` says, and bytes.
 */
export function bodyType(headers: IncomingHttpHeaders): BodyType {
  const type = headers['content-type'];
  const encoding = headers['content-encoding'];
  return {
    isJson: type === undefined || type === 'application/json' || jsonTypes.test(type),
    encoding: encoding === undefined ? 'identity' : encodings.get(encoding.trim().toLowerCase()),
  };
}

export function isPlainText({ 'content-type': type = '' }: IncomingHttpHeaders): boolean {
  return /^\s*text\/plain/i.test(type);
}

const jsonTypes =
  /^\s*(?:[a-z]+\/[a-z0-9.+-]*json[a-z-]*|text\/plain|application\/x-www-form-urlencoded|application\/octet-stream)\s*(?:;|$)/i;

const encodings: ReadonlyMap<string, Encoding> = new Map([
  ['', 'identity'],
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
]);
