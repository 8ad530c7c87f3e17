import type { z } from 'zod';
import { sysdigSchema } from '#src/triggers/sysdig-schema.ts';
import type { MetricOfWorkload, ScaledObjectId, SysdigTrigger, UnderAttack } from '#src/triggers/trigger.ts';

/** The operator's settings that a trigger falls back to. */
export interface TriggerDefaults {
  /** CLUSTER_NAME. */
  readonly cluster: string | undefined;
}

export interface SysdigMetadata {
  readonly values: ReadonlyMap<string, string>;
  readonly scaledObject: ScaledObjectId;
  readonly metricName: string;
  readonly defaults: TriggerDefaults;
}

type Fields = z.output<typeof sysdigSchema>;

const withMetricName = [
  'workload',
  'workloadType',
  'service',
  'namespace',
  'cluster',
  'filter',
  'timeAggregation',
  'groupAggregation',
  'window',
];
const withAttack = ['attackWindow', 'attackRules', 'attackTags', 'attackMinimumPriority'];

/** The trigger, or everything that is wrong with it, each as `key: expected …, got …`. Unknown keys are not judged here. */
export function readSysdigTrigger(metadata: SysdigMetadata): SysdigTrigger | string[] {
  const { values } = metadata;
  const parsed = sysdigSchema.safeParse(Object.fromEntries(values));
  const problems = (parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  problems.push(...togetherness(values));
  if (!parsed.success || problems.length > 0) return problems;
  const fields = parsed.data;
  if (fields.thresholdUnderAttack !== undefined && fields.thresholdUnderAttack >= fields.threshold) {
    return [
      `thresholdUnderAttack: expected a number below threshold (${fields.threshold}), got ${fields.thresholdUnderAttack}`,
    ];
  }
  return build(fields, metadata);
}

/** What the keys demand of each other; read from what was given, so that it is told beside every other problem. */
function togetherness(values: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  const given = (key: string) => values.has(key);
  if (given('query') && given('metricName')) {
    problems.push('query, metricName: expected one of the two, got both; remove one');
  }
  if (!given('query') && !given('metricName'))
    problems.push('query, metricName: expected one of the two, got neither');
  if (given('query') && !given('metricName')) {
    for (const key of withMetricName.filter(given)) {
      problems.push(`${key}: goes with metricName, not with query; write it into the query itself`);
    }
    if (values.get('api') === 'data')
      problems.push('api: data needs metricName; a query is asked with api: promql');
  }
  if (given('metricName') && given('queryAggregator')) {
    problems.push('queryAggregator: goes with query; with metricName use groupAggregation');
  }
  if (given('service')) {
    for (const key of ['workload', 'workloadType'].filter(given)) {
      problems.push(`${key}: expected a workload or a service, got both; remove one`);
    }
  }
  if (values.get('workload')?.includes('/') && given('workloadType')) {
    problems.push('workloadType: the kind already stands in workload; remove one');
  }
  if (!given('thresholdUnderAttack')) {
    for (const key of withAttack.filter(given))
      problems.push(`${key}: goes with thresholdUnderAttack, which is missing`);
  }
  return problems;
}

function build(fields: Fields, { scaledObject, metricName, defaults }: SysdigMetadata): SysdigTrigger {
  return {
    source: 'sysdig',
    scaledObject,
    metricName,
    threshold: fields.threshold,
    activationThreshold: fields.activationThreshold,
    account: fields.account,
    api: fields.api,
    select:
      fields.query === undefined
        ? metricOf(fields, scaledObject, defaults)
        : { kind: 'query', query: fields.query },
    queryAggregator: fields.queryAggregator,
    maxAgeMs: fields.maxAge,
    metricUnavailableValue: fields.metricUnavailableValue,
    onError: fields.onError,
    staleMaxAgeMs: fields.staleMaxAge,
    cacheTtlMs: fields.cacheTTL,
    underAttack: underAttack(fields),
  };
}

function metricOf(fields: Fields, scaledObject: ScaledObjectId, defaults: TriggerDefaults): MetricOfWorkload {
  const [name, type] = (fields.workload ?? scaledObject.name).split('/').reverse();
  return {
    kind: 'metric',
    metric: fields.metricName ?? '',
    workload: fields.service === undefined ? name : undefined,
    workloadType: type?.toLowerCase() ?? fields.workloadType,
    service: fields.service,
    namespace: fields.namespace ?? scaledObject.namespace,
    cluster: fields.cluster ?? defaults.cluster,
    filter: fields.filter ?? [],
    timeAggregation: fields.timeAggregation,
    groupAggregation: fields.groupAggregation,
    windowMs: fields.window,
  };
}

function underAttack(fields: Fields): UnderAttack | undefined {
  if (fields.thresholdUnderAttack === undefined) return undefined;
  return {
    threshold: fields.thresholdUnderAttack,
    windowMs: fields.attackWindow,
    rules: fields.attackRules ?? [],
    tags: fields.attackTags ?? [],
    minimumPriority: fields.attackMinimumPriority,
  };
}
