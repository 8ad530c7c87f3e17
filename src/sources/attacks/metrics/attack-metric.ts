import type { ClusterPod } from '#src/cluster/cluster-pod.ts';
import type { View } from '#src/sources/attacks/view.ts';
import type { FalcoTrigger } from '#src/triggers/trigger.ts';

/** What a metric is made of. */
export interface Reading {
  readonly view: View;
  readonly trigger: FalcoTrigger;
  /** Epoch ms. */
  readonly now: number;
  /** The workload's pods as they are. Throws `not-found` without a cluster, `unavailable` while they are not known. */
  readonly pods: () => readonly ClusterPod[];
  /** Throws `not-found` unless pods are reaped. */
  readonly requireReaper: () => void;
}

export interface Measured {
  readonly value: number;
  /** Nothing was there to be measured: the value is what the trigger assumes. */
  readonly isAssumed?: boolean;
  /** What a formula was given, for people. */
  readonly inputs?: Readonly<Record<string, number>>;
}

/** A number made of what happened to a workload within a window. */
export interface AttackMetric {
  /** The value now. Throws a `Failure` where it cannot be had, with the reason; never a 0 from ignorance. */
  measure(reading: Reading): Measured;
}
