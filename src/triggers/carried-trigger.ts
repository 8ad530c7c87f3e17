import { type CarriedTrigger, isExternal, type ScaledObject } from '#src/cluster/scaled-object.ts';
import { readMetadata } from '#src/triggers/metadata.ts';
import { nameMetric } from '#src/triggers/metric-name.ts';
import type { ScaledObjectRef } from '#src/triggers/parse-trigger.ts';
import type { Trigger } from '#src/triggers/trigger.ts';

/** What the ScaledObject itself forbids a trigger of it, in words; a request shows nothing of it. */
export function forbiddenBy(scaledObject: ScaledObject, trigger: Trigger): string | undefined {
  const multiplies = scaledObject.triggers.some(
    (one) => isExternal(one) && one.metricType === 'Value' && mayBe(one, trigger.metricName),
  );
  if (trigger.source === 'falco' && multiplies) {
    return 'metricType: expected AverageValue (the default) with source: falco, got Value, which multiplies the replicas at every sync of the HPA';
  }
  if (trigger.source === 'sysdig' && trigger.underAttack !== undefined && scaledObject.hasScalingModifiers) {
    return 'thresholdUnderAttack: has no effect beside advanced.scalingModifiers, whose own target the HPA gets; remove one of the two';
  }
  return undefined;
}

/** Whether the ScaledObject carries exactly the trigger that a request claims. What KEDA resolves (`KFromEnv`) is not compared. */
export function carries({ triggers }: ScaledObject, { scalerMetadata }: ScaledObjectRef): boolean {
  const claimed = Object.entries(scalerMetadata).filter(([key]) => !isResolved(key));
  return triggers.some((trigger) => {
    const keys = Object.keys(trigger.metadata).filter((key) => !isResolved(key));
    return (
      isExternal(trigger) &&
      keys.length === claimed.length &&
      claimed.every(([key, value]) => trigger.metadata[key] === value)
    );
  });
}

/** What KEDA resolves is not known here, so such a trigger may be any of its source. */
function mayBe({ metadata }: CarriedTrigger, metricName: string): boolean {
  if (nameMetric(readMetadata(metadata).values) === metricName) return true;
  return Object.keys(metadata).some(isResolved) && (metadata['source'] ?? 'falco') === 'falco';
}

function isResolved(key: string): boolean {
  return key.endsWith('FromEnv');
}
