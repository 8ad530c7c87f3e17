import type { Clock } from '#src/clock.ts';
import type { Log } from '#src/log.ts';

const everyMs = 60_000;

interface Told {
  at: number;
  untold: number;
}

/** Warns of each kind of event at once, then at most once a minute, with the count of those in between. */
export class MinuteLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #told = new Map<string, Told>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** `kind` is one of a few of ours, never a text from the wire. `fields` are only made for a line that is written. */
  warn(kind: string, message: string, fields: () => object): void {
    const now = this.#clock.now();
    const told = this.#told.get(kind);
    if (told !== undefined && now - told.at < everyMs && now >= told.at) {
      told.untold += 1;
      return;
    }
    this.#log.warn({ ...fields(), untold: told?.untold ?? 0 }, message);
    this.#told.set(kind, { at: now, untold: 0 });
  }
}
