import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import { keyOf, type Suspect } from '#src/reaper/suspect.ts';

export interface DocketParts {
  /** Alerts that are older keep nobody on it, ms. */
  readonly maxAlertAgeMs: number;
  /** Judges those that are due; puts off (`later`, `again`) or removes each. One round at a time. */
  readonly judge: (due: readonly Suspect[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What an attack brings at once is judged together: a rule that strikes everywhere is disarmed before it strikes once. */
const gatherMs = 100;
const leastRetryMs = 1_000;
const mostRetryMs = 15_000;
const mostSuspects = 2_000;

/** The suspects, and when each is to be looked at. */
export class Docket {
  readonly #parts: DocketParts;
  readonly #suspects = new Map<string, Suspect>();
  #stopTimer: (() => void) | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;
  #isWorking = false;
  #stopped = false;

  constructor(parts: DocketParts) {
    this.#parts = parts;
  }

  /** One more alert about a suspect that may be known already. False if it is too old to matter. */
  enter(suspect: Suspect): boolean {
    const { clock, maxAlertAgeMs } = this.#parts;
    const known = this.#suspects.get(keyOf(suspect));
    if (known !== undefined) {
      known.at = Math.max(known.at, suspect.at);
      return true;
    }
    if (clock.now() - suspect.at > maxAlertAgeMs) return false;
    if (this.#suspects.size >= mostSuspects) {
      const [oldest] = this.#suspects.keys();
      if (oldest !== undefined) this.#suspects.delete(oldest);
    }
    suspect.dueAt = clock.now() + gatherMs;
    this.#suspects.set(keyOf(suspect), suspect);
    this.#wake(gatherMs);
    return true;
  }

  remove(suspect: Suspect): void {
    this.#suspects.delete(keyOf(suspect));
  }

  /** To be looked at again after a pause that grows. */
  later(suspect: Suspect): void {
    suspect.tries++;
    this.again(suspect, Math.min(mostRetryMs, leastRetryMs * 2 ** (suspect.tries - 1)));
  }

  again(suspect: Suspect, inMs: number): void {
    suspect.dueAt = this.#parts.clock.now() + inMs;
  }

  /** All of them at once. */
  hurry(): void {
    for (const suspect of this.#suspects.values()) this.again(suspect, 0);
    this.#wake(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer?.();
  }

  #wake(inMs: number): void {
    const { clock } = this.#parts;
    const at = clock.now() + inMs;
    if (this.#stopped || this.#isWorking || at >= this.#wakesAt) return;
    this.#wakesAt = at;
    this.#stopTimer?.();
    this.#stopTimer = clock.after(inMs, () => {
      this.#wakesAt = Number.POSITIVE_INFINITY;
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    const { clock, judge, log } = this.#parts;
    this.#isWorking = true;
    try {
      await judge(this.#due());
    } catch (thrown) {
      log.error({ reason: Failure.from(thrown).message }, 'a defect of the reaper');
    } finally {
      this.#isWorking = false;
    }
    const dues = Array.from(this.#suspects.values(), ({ dueAt }) => dueAt);
    const next = dues.reduce((least, dueAt) => Math.min(least, dueAt), Number.POSITIVE_INFINITY);
    if (next < Number.POSITIVE_INFINITY) this.#wake(Math.max(gatherMs, next - clock.now()));
  }

  #due(): Suspect[] {
    const now = this.#parts.clock.now();
    const due: Suspect[] = [];
    for (const [key, suspect] of this.#suspects) {
      if (now - suspect.at > this.#parts.maxAlertAgeMs) this.#suspects.delete(key);
      else if (suspect.dueAt <= now) due.push(suspect);
    }
    return due;
  }
}
