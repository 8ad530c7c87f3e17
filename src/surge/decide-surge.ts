import { isExternal, type ScaledObject } from '#src/cluster/scaled-object.ts';
import { formatDuration } from '#src/fields/duration.ts';
import type { FalcoTrigger } from '#src/triggers/trigger.ts';

/** The HPA looks once in 15 s: a value that is gone by then would let it scale straight back. */
const leastWindowMs = 60_000;

/**
 * Why a trigger of a ScaledObject may never surge as they are now, in words for their author; undefined: it may. What the
 * request of a caller says plays no part: everything is read from the ScaledObject.
 */
export function refusalOf(
  { pausedBy, limitsScaleUp, maxReplicas, hasScalingModifiers, triggers }: ScaledObject,
  index: number,
  trigger: FalcoTrigger,
): string | undefined {
  const carried = triggers[index];
  if (carried === undefined || !isExternal(carried)) return 'the ScaledObject carries no such trigger';
  const unresolved = Object.keys(carried.metadata).find((key) => key.endsWith('FromEnv'));
  if (unresolved !== undefined)
    return `${unresolved} is known to KEDA only; write its value into the trigger`;
  if (pausedBy !== undefined) return `the annotation ${pausedBy} pauses it`;
  if (limitsScaleUp) return 'behavior.scaleUp is set, and is how fast its author wants it to grow';
  if (maxReplicas === undefined) return 'maxReplicaCount is not set; say how far it may grow';
  if ((carried.metricType ?? 'AverageValue') !== 'AverageValue') {
    return `metricType: expected AverageValue, got ${carried.metricType}, under which the replicas do not follow from the value`;
  }
  if (hasScalingModifiers) return 'scalingModifiers make the HPA follow a formula, not this trigger';
  if (trigger.windowMs < leastWindowMs) {
    return `window: expected at least 1m for a surge, so that the HPA still sees the value at its next sync, got ${formatDuration(trigger.windowMs)}`;
  }
  return undefined;
}

export interface SurgeFacts {
  readonly value: number;
  /** The HPA's target for each replica. */
  readonly target: number;
  /** `spec.replicas` now. */
  readonly present: number;
  readonly tolerance: number;
  readonly maxReplicas: number;
  /** The operator's own bound. */
  readonly cap: number;
}

/** What the HPA would make of this value, by its own arithmetic and in one step; undefined where that is not more than there is. */
export function replicasFor({
  value,
  target,
  present,
  tolerance,
  maxReplicas,
  cap,
}: SurgeFacts): number | undefined {
  // KEDA and the HPA count in thousandths.
  const [usage, each] = [Math.round(value * 1_000), Math.round(target * 1_000)];
  const ratio = usage / (each * present);
  if (Math.abs(1 - ratio) <= tolerance) return undefined;
  const replicas = Math.min(Math.ceil(usage / each), maxReplicas, cap);
  return replicas > present ? replicas : undefined;
}
