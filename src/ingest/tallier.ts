import type { AlertSubject } from '#src/alerts/alert.ts';
import type { Clock } from '#src/clock.ts';
import type { LastingRecords } from '#src/ingest/records.ts';
import { Sums } from '#src/ingest/sums.ts';
import { tickMs } from '#src/journal/resolution.ts';

/**
 * The memory path: the first alert of a subject and tick is recorded at once, so that a push waits for nothing; what
 * follows within a tick of arrival is summed and recorded at its end. A flood costs what its distinct pods and rules cost.
 */
export class Tallier {
  readonly #records: LastingRecords;
  readonly #clock: Clock;
  readonly #sums = new Sums();
  #endsAt = Number.NEGATIVE_INFINITY;
  #stopTimer: (() => void) | undefined;

  constructor(records: LastingRecords, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  /** An alert that arrives now; `at` is the start of the tick in which it happened, epoch ms. */
  add(subject: AlertSubject, at: number): void {
    const now = this.#clock.now();
    // A clock that was set back must not make a tick last for hours.
    if (now >= this.#endsAt || now < this.#endsAt - tickMs) {
      this.#record();
      this.#endsAt = now + tickMs;
    }
    if (!this.#sums.add(subject, at, false)) {
      this.#records.record([{ subject, at, count: 1 }]);
      return;
    }
    this.#stopTimer ??= this.#clock.after(this.#endsAt - now, () => this.#record());
  }

  /** Records what still waits; resolves or rejects as all that was recorded so far does. */
  flush(): Promise<void> {
    this.#record();
    return this.#records.settled();
  }

  #record(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    const entries = this.#sums.take();
    if (entries.length > 0) this.#records.record(entries);
  }
}
