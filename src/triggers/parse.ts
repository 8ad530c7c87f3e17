import type { Failure } from '#src/failure.ts';
import type { Trigger } from '#src/triggers/trigger.ts';

/** A ScaledObject as KEDA sends it with every call. */
export interface ScaledObjectRef {
  readonly name: string;
  readonly namespace: string;
  readonly scalerMetadata: Readonly<Record<string, string>>;
}

/**
 * - `valid`: everything holds.
 * - `refused`: the metadata is wrong, yet source and threshold can be read, so `GetMetricSpec` still answers (`spec`)
 *   and the failure is told by `GetMetrics` and `IsActive`, where KEDA shows it to the user.
 * - `unreadable`: not even that; `GetMetricSpec` must refuse too.
 */
export type ParsedTrigger =
  | { readonly kind: 'valid'; readonly trigger: Trigger }
  | {
      readonly kind: 'refused';
      readonly spec: { metricName: string; threshold: number };
      readonly failure: Failure;
    }
  | { readonly kind: 'unreadable'; readonly failure: Failure };
