import type { Clock } from '#src/clock.ts';
import { extend, isWithin, latestPeriod, type Period } from '#src/sources/attacks/attack-period.ts';
import type { AttackWindows } from '#src/sources/attacks/attack-windows.ts';
import type { View } from '#src/sources/attacks/view.ts';
import type { AttackQuestion, Attacks } from '#src/sources/attacks.ts';

/** Whether workloads are under attack, from the alerts alone: no state that another replica would not have. */
export class UnderAttack implements Attacks {
  readonly #windows: AttackWindows;
  readonly #clock: Clock;
  readonly #periods = new WeakMap<View, { changes: number; period: Period | undefined }>();

  constructor(windows: AttackWindows, clock: Clock) {
    this.#windows = windows;
    this.#clock = clock;
  }

  isUnderAttack(question: AttackQuestion): boolean {
    const now = this.#clock.now();
    const period = this.#period(this.#windows.view(question, now));
    return period !== undefined && isWithin(period, now);
  }

  watch(question: AttackQuestion, onChange: () => void, signal: AbortSignal): void {
    let was = this.isUnderAttack(question);
    let stopTimer: (() => void) | undefined;
    const view = this.#windows.view(question, this.#clock.now());
    const look = () => {
      const is = this.isUnderAttack(question);
      schedule();
      if (is === was) return;
      was = is;
      onChange();
    };
    const schedule = () => {
      stopTimer?.();
      const now = this.#clock.now();
      const period = this.#period(view);
      const next = [period?.from, period?.to].find((at) => at !== undefined && at > now);
      // The clock may be set back while a timer runs, so a long one is cut into pieces.
      if (next !== undefined) stopTimer = this.#clock.after(Math.min(next - now, 60_000), look);
    };
    view.watchers.add(look);
    signal.addEventListener(
      'abort',
      () => {
        view.watchers.delete(look);
        stopTimer?.();
      },
      { once: true },
    );
    schedule();
  }

  /** Only an alert from before the attack, or many at once, take it to be computed from the beginning. */
  #period(view: View): Period | undefined {
    const { changes, latestRecorded, question } = view;
    const known = this.#periods.get(view);
    if (known !== undefined && known.changes === changes) return known.period;
    const isNext =
      known?.period !== undefined && known.changes + 1 === changes && latestRecorded >= known.period.first;
    const period = isNext
      ? extend(known.period, latestRecorded, question.windowMs)
      : latestPeriod(view.times(), question.windowMs);
    this.#periods.set(view, { changes, period });
    return period;
  }
}
