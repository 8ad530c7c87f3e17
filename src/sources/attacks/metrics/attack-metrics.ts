import { alertRate } from '#src/sources/attacks/metrics/alert-rate.ts';
import { alerts } from '#src/sources/attacks/metrics/alerts.ts';
import type { AttackMetric } from '#src/sources/attacks/metrics/attack-metric.ts';
import { infectionRate } from '#src/sources/attacks/metrics/infection-rate.ts';
import { infections } from '#src/sources/attacks/metrics/infections.ts';
import { missing } from '#src/sources/attacks/metrics/missing.ts';
import type { AttackMetricName } from '#src/triggers/trigger.ts';

const needsReaper = (metric: string) =>
  missing(`${metric} needs the reaper, which is not part of this version; infections and infectionRate are`);

/** One line for each metric that a trigger may name. */
export const attackMetrics: Readonly<Record<AttackMetricName, AttackMetric>> = {
  alerts,
  alertRate,
  infections,
  infectionRate,
  infectedPods: missing(
    'infectedPods needs a connection to the cluster, to know which pods still run; use infections, which counts them whatever became of them',
  ),
  reapedPods: needsReaper('reapedPods'),
  reapRate: needsReaper('reapRate'),
  reapedPercent: needsReaper('reapedPercent'),
  recreationSeconds: needsReaper('recreationSeconds'),
  requiredReplicas: needsReaper('requiredReplicas'),
};
