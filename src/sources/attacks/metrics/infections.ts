import type { AttackMetric } from '#src/sources/attacks/metrics/attack-metric.ts';

/** Distinct pods with at least one matching alert in the window, whatever became of them. */
export const infections: AttackMetric = { measure: ({ view }) => ({ value: view.infections }) };
