import type { KedaClient } from '#test/harness/keda-client.ts';
import type { ExternalTrigger, ScaledObject } from './scaled-objects.ts';

/** What KEDA would know of one trigger after a poll. */
export interface Poll {
  readonly metricName: string;
  readonly target: number;
  readonly value: number;
  readonly active: boolean;
}

/** One poll of one trigger, as KEDA makes it: the spec, the value, the activity. Rejects with the scaler's own text. */
export async function poll(
  client: KedaClient,
  object: ScaledObject,
  trigger: ExternalTrigger,
): Promise<Poll> {
  const ref = { name: object.name, namespace: object.namespace, scalerMetadata: trigger.metadata };
  try {
    const spec = (await client.getMetricSpec(ref)).metricSpecs.at(0);
    if (spec === undefined) throw new Error('the scaler answered no spec');
    const value = (await client.getMetrics(ref, spec.metricName)).metricValues.at(0);
    if (value === undefined) throw new Error('the scaler answered no value');
    return {
      metricName: spec.metricName,
      target: spec.targetSizeFloat > 0 ? spec.targetSizeFloat : spec.targetSize,
      value: value.metricValueFloat > 0 ? value.metricValueFloat : value.metricValue,
      active: await client.isActive(ref),
    };
  } catch (error) {
    throw new Error(error instanceof Error && 'details' in error ? String(error.details) : String(error), {
      cause: error,
    });
  }
}
