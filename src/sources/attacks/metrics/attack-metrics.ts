import { alertRate } from '#src/sources/attacks/metrics/alert-rate.ts';
import { alerts } from '#src/sources/attacks/metrics/alerts.ts';
import type { AttackMetric } from '#src/sources/attacks/metrics/attack-metric.ts';
import { infectedPods } from '#src/sources/attacks/metrics/infected-pods.ts';
import { infectionRate } from '#src/sources/attacks/metrics/infection-rate.ts';
import { infections } from '#src/sources/attacks/metrics/infections.ts';
import { reapedPercent, reapedPods, reapRate } from '#src/sources/attacks/metrics/reaped-pods.ts';
import { recreationSeconds } from '#src/sources/attacks/metrics/recreation-seconds.ts';
import { requiredReplicas } from '#src/sources/attacks/metrics/required-replicas.ts';
import type { AttackMetricName } from '#src/triggers/trigger.ts';

/** One line for each metric that a trigger may name. */
export const attackMetrics: Readonly<Record<AttackMetricName, AttackMetric>> = {
  alerts,
  alertRate,
  infections,
  infectionRate,
  infectedPods,
  reapedPods,
  reapRate,
  reapedPercent,
  recreationSeconds,
  requiredReplicas,
};
