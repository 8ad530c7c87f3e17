import type { AttackMetric, Reading } from '#src/sources/attacks/metrics/attack-metric.ts';

/** Pods that the reaper took away within the window. */
export const reapedPods: AttackMetric = { measure: (reading) => ({ value: countReaped(reading) }) };

/** The same per minute of the window. */
export const reapRate: AttackMetric = {
  measure: (reading) => ({ value: countReaped(reading) / (reading.trigger.windowMs / 60_000) }),
};

/** Reaped pods as a share of what serves and what was reaped, in percent. */
export const reapedPercent: AttackMetric = {
  measure(reading) {
    const reaped = countReaped(reading);
    if (reaped === 0) return { value: 0 };
    const available = reading.pods().filter(({ isReady, isLeaving }) => isReady && !isLeaving).length;
    return { value: (reaped / (available + reaped)) * 100, inputs: { reaped, available } };
  },
};

function countReaped({ view, trigger, now, requireReaper }: Reading): number {
  requireReaper();
  return view.reapedSince(now - trigger.windowMs).size;
}
