import type { Clock } from '#src/clock.ts';
import type { Log } from '#src/log.ts';

const everyMs = 60_000;

/** Tells of failed TLS handshakes: the first at once, then at most one line a minute with the count of the others. */
export class HandshakeLog {
  readonly #log: Log;
  readonly #clock: Clock;
  #toldAt = Number.NEGATIVE_INFINITY;
  #untold = 0;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  failed(reason: string, from: string): void {
    const now = this.#clock.now();
    if (now - this.#toldAt < everyMs) {
      this.#untold += 1;
      return;
    }
    this.#log.warn({ from, reason, untold: this.#untold }, 'a TLS handshake with a client failed');
    this.#toldAt = now;
    this.#untold = 0;
  }
}
