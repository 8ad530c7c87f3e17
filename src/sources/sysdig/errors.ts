import { Failure, type FailureCode } from '#src/failure.ts';
import type { HttpAnswer } from '#src/sources/sysdig/http-pool.ts';

/** What a message needs to know beside the answer. */
export interface ErrorContext {
  /** Who is asked, for messages: `Sysdig (account "team-a")`. */
  readonly upstream: string;
  /** Epoch ms. */
  readonly now: number;
  /** What must never be said, even if the upstream says it. */
  readonly secrets: readonly string[];
}

const maxCharacters = 200;
const defaultRetryMs = 30_000;
/** A date far ahead would freeze an account for good. */
const maxRetryMs = 3_600_000;

/**
 * The failure that an answer stands for (Sysdig API: errors). The code says who can mend it:
 * - 400, 413, 414, 422 `invalid`: the query. 401 `unauthenticated`, 403 `permission-denied`: the account.
 * - 404, 405, 410 and redirects `unavailable`: our paths exist on every Sysdig, so the address is wrong, which is the
 *   operator's to mend and no fault of the trigger.
 * - 429 `rate-limited` with `retryAt`. Everything else `unavailable`.
 * - HTML never comes from Sysdig's API but from a proxy or another site: `unavailable` whatever its status, or a wrong
 *   gateway would be blamed on the trigger; only 429 keeps its meaning.
 */
export function failureOf(answer: HttpAnswer, context: ErrorContext): Failure {
  const { status } = answer;
  const said = whatItSays(answer, context);
  const retryAt = retryTime(header(answer, 'retry-after'), status, context.now);
  const message = `${context.upstream} ${verdict(status, said.html)}: ${said.text}${advice(status)}`;
  return new Failure(said.html && status !== 429 ? 'unavailable' : codeOf(status), message, {
    httpStatus: status,
    ...(retryAt !== undefined && { retryAt }),
  });
}

/** A 200 that is not what the API answers with. */
export function unreadable(answer: HttpAnswer, context: ErrorContext): Failure {
  const said = whatItSays(answer, context);
  const message = `${context.upstream}: expected JSON, got ${said.text}; a proxy answered, or SYSDIG_URL is not Sysdig's address`;
  return new Failure('unavailable', message, { httpStatus: answer.status });
}

/** What an answer says, fit for a message. `html`: a page, and so not Sysdig's API. */
export function whatItSays(
  answer: HttpAnswer,
  { secrets }: Pick<ErrorContext, 'secrets'>,
): { text: string; html: boolean } {
  const { status, body } = answer;
  const location = header(answer, 'location');
  if (status >= 300 && status < 400) {
    const origin = URL.parse(location ?? '')?.origin ?? 'elsewhere';
    return { text: `a redirect to ${sayable(origin, secrets)}, which is not followed`, html: false };
  }
  if (/^\s*</.test(body)) {
    const title = /<title[^>]*>([^<]*)/i.exec(body.slice(0, 20_000))?.[1]?.trim();
    return { text: `an HTML page${title ? ` titled "${sayable(title, secrets)}"` : ''}`, html: true };
  }
  const message = sayable(messageIn(parsed(body)) ?? '', secrets);
  if (message !== '') return { text: message, html: false };
  return {
    text: body.trim() === '' ? `nothing but the status ${status}` : `a body without a message`,
    html: false,
  };
}

/** Foreign text made fit for a message: one line, no control characters, no secrets, at most 200 characters. */
export function sayable(text: string, secrets: readonly string[]): string {
  const line = text
    .slice(0, 20_000)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .trim();
  const characters = [...secrets.reduce(withoutSecret, line)];
  if (characters.length <= maxCharacters) return characters.join('');
  return `${characters.slice(0, maxCharacters - 1).join('')}…`;
}

/** One header's value. */
export function header(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function codeOf(status: number): FailureCode {
  if ([400, 413, 414, 422].includes(status)) return 'invalid';
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'permission-denied';
  return status === 429 ? 'rate-limited' : 'unavailable';
}

function verdict(status: number, html: boolean): string {
  if (html) return `was not reached (${status})`;
  if (codeOf(status) === 'invalid') return `refuses the query (${status})`;
  if (status === 401) return 'does not accept the credentials (401)';
  if (status === 403) return 'does not allow this (403)';
  return status === 429 ? 'is asked too often (429)' : `failed (${status})`;
}

function advice(status: number): string {
  if (status === 401) return '; expected a Monitor API token (not an agent access key): check the token file';
  if (status === 403) return "; check what the token's team and role may read";
  if (status === 404 || status === 405 || status === 410 || (status >= 300 && status < 400)) {
    return '; check SYSDIG_URL or SYSDIG_REGION';
  }
  return status === 407 ? '; check the credentials in the address of the proxy' : '';
}

/** In the order that holds for all of Sysdig's shapes; `errorMessage` is IBM IAM's. A bare JSON string is a message. */
function messageIn(body: unknown): string | undefined {
  if (typeof body === 'string') return body;
  if (typeof body !== 'object' || body === null) return undefined;
  const { errors, message, error, errorMessage } = body as Record<string, unknown>;
  const listed = (Array.isArray(errors) ? errors : []).map(oneError).filter((text) => text !== '');
  if (listed.length > 0) return listed.join('; ');
  return [message, error, errorMessage].find((text) => typeof text === 'string' && text !== '') as
    | string
    | undefined;
}

function oneError(error: unknown): string {
  if (typeof error === 'string') return error;
  if (typeof error !== 'object' || error === null) return '';
  const { reason, message } = error as Record<string, unknown>;
  const parts = [reason, message].filter((text) => typeof text === 'string' && text !== '');
  return [...new Set(parts)].join(': ');
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Seconds or a date (RFC 9110, 10.2.3); a 429 with neither waits 30 s. */
function retryTime(text: string | undefined, status: number, now: number): number | undefined {
  const seconds = /^\s*\d+\s*$/.test(text ?? '') ? Number(text) : undefined;
  const at = seconds === undefined ? Date.parse(text ?? '') : now + seconds * 1000;
  if (!Number.isNaN(at)) return Math.min(Math.max(at, now), now + maxRetryMs);
  return status === 429 ? now + defaultRetryMs : undefined;
}

/** Also what is left of a secret when its end is cut off: from its first 8 characters on, as far as it goes. */
function withoutSecret(text: string, secret: string): string {
  if (secret === '') return text;
  const start = secret.slice(0, 8);
  let clean = '';
  let from = 0;
  for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, from)) {
    let length = start.length;
    while (length < secret.length && text[at + length] === secret[length]) length++;
    clean += `${text.slice(from, at)}[secret]`;
    from = at + length;
  }
  return clean + text.slice(from);
}
