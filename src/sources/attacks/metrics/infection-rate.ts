import type { AttackMetric } from '#src/sources/attacks/metrics/attack-metric.ts';

/** Pods per minute of the window whose first matching alert lies in it; its reciprocal is the time to a new infection. */
export const infectionRate: AttackMetric = {
  measure: ({ view, trigger }) => ({ value: view.newInfections / (trigger.windowMs / 60_000) }),
};
