import type { AttackMetric } from '#src/sources/attacks/metrics/attack-metric.ts';

/** Matching alerts per second of the window. */
export const alertRate: AttackMetric = {
  measure: ({ view, trigger }) => ({ value: view.alerts / (trigger.windowMs / 1_000) }),
};
