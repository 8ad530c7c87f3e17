import type { Clock } from '#src/clock.ts';
import type { Log } from '#src/log.ts';

const everyMs = 60_000;
/** OpenSSL has a few dozen; a stranger must not be able to invent more. */
const mostReasons = 50;

interface Told {
  at: number;
  untold: number;
}

/**
 * Tells of failed TLS handshakes: the first for each reason at once, so that a port scan does not hide a client without a
 * certificate; then at most one line a minute with the count of the others.
 */
export class HandshakeLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #told = new Map<string, Told>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  failed(reason: string, from: string): void {
    const now = this.#clock.now();
    const kind = this.#told.has(reason) || this.#told.size < mostReasons ? reason : '';
    const told = this.#told.get(kind) ?? { at: Number.NEGATIVE_INFINITY, untold: 0 };
    this.#told.set(kind, told);
    if (now - told.at < everyMs) {
      told.untold += 1;
      return;
    }
    this.#log.warn({ from, reason, untold: told.untold }, 'a TLS handshake with a client failed');
    told.at = now;
    told.untold = 0;
  }
}
