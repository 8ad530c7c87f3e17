import type { Clock } from '#src/clock.ts';
import type { Targets } from '#src/cluster/targets.ts';
import { extend, isWithin, latestPeriod, type Period } from '#src/sources/attacks/attack-period.ts';
import type { AttackWindows } from '#src/sources/attacks/attack-windows.ts';
import type { View } from '#src/sources/attacks/view.ts';
import { type Attacks, type AttackTopic, questionOf } from '#src/sources/attacks.ts';

/** Whether workloads are under attack, from the alerts alone: no state that another replica would not have. */
export class UnderAttack implements Attacks {
  readonly #windows: AttackWindows;
  readonly #targets: Targets;
  readonly #clock: Clock;
  readonly #periods = new WeakMap<View, { changes: number; period: Period | undefined }>();

  constructor({ windows, targets, clock }: { windows: AttackWindows; targets: Targets; clock: Clock }) {
    this.#windows = windows;
    this.#targets = targets;
    this.#clock = clock;
  }

  isUnderAttack(topic: AttackTopic): boolean {
    const now = this.#clock.now();
    const view = this.#view(topic, now);
    const period = view && this.#period(view);
    return period !== undefined && isWithin(period, now);
  }

  watch(topic: AttackTopic, onChange: () => void, signal: AbortSignal): void {
    let was = this.isUnderAttack(topic);
    let stopTimer: (() => void) | undefined;
    let watched: View | undefined;
    const look = () => {
      const is = this.isUnderAttack(topic);
      schedule();
      if (is === was) return;
      was = is;
      onChange();
    };
    const schedule = () => {
      stopTimer?.();
      const now = this.#clock.now();
      const period = watched && this.#period(watched);
      const next = [period?.from, period?.to].find((at) => at !== undefined && at > now);
      // The clock may be set back while a timer runs, so a long one is cut into pieces.
      if (next !== undefined) stopTimer = this.#clock.after(Math.min(next - now, 60_000), look);
    };
    const attend = () => {
      const view = this.#view(topic, this.#clock.now());
      if (view === watched) return;
      watched?.watchers.delete(look);
      watched = view;
      view?.watchers.add(look);
      look();
    };
    if (topic.workload.follows !== undefined) this.#targets.watch(topic.workload.follows, attend, signal);
    signal.addEventListener(
      'abort',
      () => {
        watched?.watchers.delete(look);
        stopTimer?.();
      },
      { once: true },
    );
    attend();
  }

  #view(topic: AttackTopic, now: number): View | undefined {
    try {
      return this.#windows.view(questionOf(topic, this.#targets), now);
    } catch {
      return undefined;
    }
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
