import type { z } from 'zod';
import { show } from '#src/fields/field.ts';
import { falcoSchema } from '#src/triggers/falco-schema.ts';
import { attackedWorkload } from '#src/triggers/shared-fields.ts';
import type { SourceMetadata } from '#src/triggers/source-metadata.ts';
import { activeByAlerts, type FalcoTrigger } from '#src/triggers/trigger.ts';

type Fields = z.output<typeof falcoSchema>;

const withRequiredReplicas = ['healthyReplicas', 'confidence', 'maxSurplus'];

/** The trigger, or everything that is wrong with it, each as `key: expected …, got …`. Unknown keys are not judged here. */
export function readFalcoTrigger(metadata: SourceMetadata): FalcoTrigger | string[] {
  const parsed = falcoSchema.safeParse(Object.fromEntries(metadata.values));
  const problems = (parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  problems.push(...brokenRules(metadata));
  return parsed.success && problems.length === 0 ? build(parsed.data, metadata) : problems;
}

/** What the keys demand of each other, read from what was given, so that it is told beside every other problem. */
function brokenRules({ values, scaledObject, defaults }: SourceMetadata): string[] {
  const problems: string[] = [];
  const metric = values.get('metric')?.trim() ?? '';
  const given = (key: string) => values.has(key);
  if (metric === 'requiredReplicas') {
    if (!given('healthyReplicas')) {
      problems.push(
        'healthyReplicas: expected the replicas that the load needs, with metric: requiredReplicas, got nothing',
      );
    }
    if (given('threshold') && Number(values.get('threshold')) !== 1) {
      problems.push(
        `threshold: expected 1 with metric: requiredReplicas, whose value is a number of replicas, got ${show(values.get('threshold'))}; remove it`,
      );
    }
  } else {
    if (!given('threshold')) problems.push('threshold: expected a number of at least 0.001, got nothing');
    for (const key of withRequiredReplicas.filter(given)) {
      problems.push(`${key}: goes with metric: requiredReplicas, got metric: ${metric}`);
    }
    if (given('assumedRecreationSeconds') && metric !== 'recreationSeconds') {
      problems.push('assumedRecreationSeconds: goes with metric: requiredReplicas or recreationSeconds');
    }
  }
  if (given('activationThreshold') && activeByAlerts.some((one) => one === metric)) {
    problems.push(
      `activationThreshold: does not go with metric: ${metric}, which is active while the window holds an alert; remove it`,
    );
  }
  const namespace = values.get('namespace')?.trim();
  const mayCross = defaults.attacksAcrossNamespaces?.includes(scaledObject.namespace) ?? false;
  if (namespace !== undefined && namespace !== scaledObject.namespace && !mayCross) {
    problems.push(
      `namespace: expected the ScaledObject's own (${scaledObject.namespace}), got ${show(namespace)}; others are for namespaces that the operator lists in attacksAcrossNamespaces`,
    );
  }
  return problems;
}

function build(fields: Fields, { scaledObject, metricName }: SourceMetadata): FalcoTrigger {
  return {
    source: 'falco',
    scaledObject,
    metricName,
    metric: fields.metric,
    workload: attackedWorkload(fields.workload, fields.namespace ?? scaledObject.namespace, scaledObject),
    windowMs: fields.window,
    filter: {
      minimumPriority: fields.minimumPriority,
      rules: fields.rules ?? [],
      tags: fields.tags ?? [],
      sources: fields.sources ?? [],
    },
    threshold: fields.threshold ?? 1,
    activationThreshold: fields.activationThreshold,
    surplus:
      fields.healthyReplicas === undefined
        ? undefined
        : {
            healthyReplicas: fields.healthyReplicas,
            confidence: fields.confidence,
            maxSurplus: fields.maxSurplus,
          },
    assumedRecreationMs: fields.assumedRecreationSeconds * 1_000,
    surge: fields.surge,
  };
}
