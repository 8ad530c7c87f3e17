import type { z } from 'zod';
import { attackedWorkload } from '#src/triggers/shared-fields.ts';
import type { SourceMetadata } from '#src/triggers/source-metadata.ts';
import { brokenRules } from '#src/triggers/sysdig-rules.ts';
import { sysdigSchema } from '#src/triggers/sysdig-schema.ts';
import type {
  MetricOfWorkload,
  ScaledObjectId,
  SysdigTrigger,
  TriggerDefaults,
  UnderAttack,
} from '#src/triggers/trigger.ts';

type Fields = z.output<typeof sysdigSchema>;

/** The trigger, or everything that is wrong with it, each as `key: expected …, got …`. Unknown keys are not judged here. */
export function readSysdigTrigger(metadata: SourceMetadata): SysdigTrigger | string[] {
  const { values, defaults } = metadata;
  const parsed = sysdigSchema.safeParse(Object.fromEntries(values));
  const problems = (parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  problems.push(...brokenRules(values, defaults));
  return parsed.success && problems.length === 0 ? build(parsed.data, metadata) : problems;
}

function build(fields: Fields, { scaledObject, metricName, defaults }: SourceMetadata): SysdigTrigger {
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
    underAttack: underAttack(fields, scaledObject),
  };
}

function metricOf(fields: Fields, scaledObject: ScaledObjectId, defaults: TriggerDefaults): MetricOfWorkload {
  const [name, type] = (fields.workload ?? scaledObject.name).split('/').reverse();
  return {
    kind: 'metric',
    metric: fields.metricName ?? '',
    workload: fields.service === undefined ? name : undefined,
    follows: fields.workload === undefined && fields.service === undefined ? scaledObject : undefined,
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

function underAttack(fields: Fields, scaledObject: ScaledObjectId): UnderAttack | undefined {
  if (fields.thresholdUnderAttack === undefined) return undefined;
  const own = fields.metricName === undefined ? undefined : fields.workload;
  return {
    threshold: fields.thresholdUnderAttack,
    workload: attackedWorkload(fields.attackWorkload ?? own, scaledObject.namespace, scaledObject),
    windowMs: fields.attackWindow,
    filter: {
      minimumPriority: fields.attackMinimumPriority,
      rules: fields.attackRules ?? [],
      tags: fields.attackTags ?? [],
      sources: [],
    },
  };
}
