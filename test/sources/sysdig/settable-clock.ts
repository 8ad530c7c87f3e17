import { ManualClock } from '#test/harness/manual-clock.ts';

/** A clock that somebody sets back; its timers, as the machine's, go on as if nothing had happened. */
export class SettableClock extends ManualClock {
  /** By how much it is behind what it was. */
  setBackMs = 0;

  override now(): number {
    return super.now() - this.setBackMs;
  }
}
