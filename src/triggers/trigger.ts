import type { AlertFilter } from '#src/alerts/alert-filter.ts';

/** The KEDA object that a trigger belongs to, as the request claims it. */
export interface ScaledObjectId {
  readonly namespace: string;
  readonly name: string;
}

/** The operator's settings that a trigger falls back to. */
export interface TriggerDefaults {
  /** CLUSTER_NAME. */
  readonly cluster: string | undefined;
  /** ATTACKS_ACROSS_NAMESPACES: the namespaces whose triggers may name workloads of others. */
  readonly attacksAcrossNamespaces?: readonly string[] | undefined;
}

/** What every trigger has, whatever its source. */
export interface TriggerCore {
  readonly source: string;
  readonly scaledObject: ScaledObjectId;
  /** The metric's name as KEDA knows it, without KEDA's `s0-` prefix. */
  readonly metricName: string;
  /** The HPA's target: at least 0.001. */
  readonly threshold: number;
  /** Active when the value is above it. */
  readonly activationThreshold: number;
}

export const timeAggregations = ['avg', 'timeAvg', 'sum', 'min', 'max', 'rateOfChange'] as const;
export type TimeAggregation = (typeof timeAggregations)[number];

export const groupAggregations = ['avg', 'sum', 'min', 'max'] as const;
export type GroupAggregation = (typeof groupAggregations)[number];

export const queryAggregators = ['sum', 'avg', 'min', 'max', 'count'] as const;
export type QueryAggregator = (typeof queryAggregators)[number];

/** One condition on a label: `status=~"5.."`. */
export interface LabelMatcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** The user's own PromQL, trimmed and otherwise as written. */
export interface WrittenQuery {
  readonly kind: 'query';
  readonly query: string;
}

/** A metric of a workload or a service. */
export interface MetricOfWorkload {
  readonly kind: 'metric';
  /** In either notation, as written: `net.http.request.count` or `sysdig_container_net_http_request_count`. */
  readonly metric: string;
  /** The name of the workload; undefined only where `service` is given. */
  readonly workload: string | undefined;
  /** The trigger names none: what this ScaledObject scales is meant, and `workload` is its name until that is known. */
  readonly follows: ScaledObjectId | undefined;
  /** Lower case, `deployment`. */
  readonly workloadType: string | undefined;
  readonly service: string | undefined;
  readonly namespace: string;
  /** From the trigger, else CLUSTER_NAME. */
  readonly cluster: string | undefined;
  readonly filter: readonly LabelMatcher[];
  readonly timeAggregation: TimeAggregation;
  readonly groupAggregation: GroupAggregation;
  readonly windowMs: number;
}

/** A workload whose attacks count. */
export interface AttackedWorkload {
  readonly namespace: string;
  /** Lower case, `deployment`; undefined: any kind. */
  readonly kind: string | undefined;
  readonly name: string;
  /** The trigger names none: what this ScaledObject scales is meant, and `name` is its own. */
  readonly follows: ScaledObjectId | undefined;
}

/** Which alerts make an attack, and the target that holds while it lasts. */
export interface UnderAttack {
  readonly threshold: number;
  readonly workload: AttackedWorkload;
  readonly filter: AlertFilter;
  readonly windowMs: number;
}

export interface SysdigTrigger extends TriggerCore {
  readonly source: 'sysdig';
  /** A named account; undefined is the unnamed one. */
  readonly account: string | undefined;
  readonly api: 'promql' | 'data';
  readonly select: WrittenQuery | MetricOfWorkload;
  /** How the series of a vector become one number; undefined: one series is expected. */
  readonly queryAggregator: QueryAggregator | undefined;
  readonly maxAgeMs: number;
  /** Answered when there is no data; undefined: no data is NOT_FOUND. Never used for a failed upstream. */
  readonly metricUnavailableValue: number | undefined;
  readonly onError: 'error' | 'lastValue';
  readonly staleMaxAgeMs: number;
  readonly cacheTtlMs: number;
  readonly underAttack: UnderAttack | undefined;
}

/** What `metric` may be: docs/triggers.md defines each. */
export const attackMetricNames = [
  'alerts',
  'alertRate',
  'infections',
  'infectionRate',
  'infectedPods',
  'reapedPods',
  'reapRate',
  'reapedPercent',
  'recreationSeconds',
  'requiredReplicas',
] as const;
export type AttackMetricName = (typeof attackMetricNames)[number];

/** Metrics that say nothing of an attack when there is none: they are active while the window holds an alert. */
export const activeByAlerts: readonly AttackMetricName[] = [
  'requiredReplicas',
  'recreationSeconds',
  'reapedPercent',
];

/** How many replicas a workload needs beside those that an attack takes. */
export interface Surplus {
  readonly healthyReplicas: number;
  readonly confidence: number;
  /** Undefined: twice `healthyReplicas`, at least 5. */
  readonly maxSurplus: number | undefined;
}

export interface FalcoTrigger extends TriggerCore {
  readonly source: 'falco';
  readonly metric: AttackMetricName;
  readonly workload: AttackedWorkload;
  readonly filter: AlertFilter;
  readonly windowMs: number;
  /** Only with `metric: requiredReplicas`. */
  readonly surplus: Surplus | undefined;
  readonly assumedRecreationMs: number;
  readonly surge: boolean;
}

export type Trigger = SysdigTrigger | FalcoTrigger;

/** A trigger in log lines. */
export function subject({ namespace, name }: ScaledObjectId, metricName: string): string {
  return `${namespace}/${name} ${metricName}`.trim();
}
