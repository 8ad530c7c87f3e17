import type { AttackMetric } from '#src/sources/attacks/metrics/attack-metric.ts';

/** Matching alerts in the window. */
export const alerts: AttackMetric = { measure: ({ view }) => ({ value: view.alerts }) };
