import type { ClusterPod } from '#src/cluster/cluster-pod.ts';
import { reapLabel } from '#src/cluster/labels.ts';
import type { ClusterWorkload } from '#src/cluster/objects.ts';
import type { ReapSettings } from '#src/reaper/reap-settings.ts';
import type { Suspect } from '#src/reaper/suspect.ts';

/** Why a pod is left alone. docs/reaper.md explains each. */
export const skipReasons = [
  'stale',
  'unknown-cluster',
  'namespace',
  'disarmed',
  'no-pod',
  'other-pod',
  'younger-than-alert',
  'ended',
  'leaving',
  'quarantined',
  'node',
  'no-workload',
  'not-opted-in',
  'paused',
  'already-reaped',
  'workload-limit',
  'cluster-limit',
  'floor',
  'disruption-budget',
] as const;
export type SkipReason = (typeof skipReasons)[number];

/** What may be otherwise a moment later, while the alert is still fresh. */
export const passing: ReadonlySet<SkipReason> = new Set([
  'workload-limit',
  'cluster-limit',
  'floor',
  'disruption-budget',
]);

/** What somebody, or the next alert, may change within seconds. */
export const changing: ReadonlySet<SkipReason> = new Set(['younger-than-alert', 'paused', 'disarmed']);

/** Sensors' clocks and the API server's differ; and the API server tells a pod's age in whole seconds. */
export const skewMs = 5_000;

/** Judges the alert alone; undefined: nothing speaks against it. */
export function judgeAlert(
  { namespace, at, mayAct }: Suspect,
  { namespaces, neverNamespaces, maxAlertAgeMs }: ReapSettings,
  now: number,
): SkipReason | undefined {
  if (now - at > maxAlertAgeMs) return 'stale';
  if (!mayAct) return 'unknown-cluster';
  const isAllowed = namespaces === undefined || namespaces.includes(namespace);
  return !isAllowed || neverNamespaces.includes(namespace) ? 'namespace' : undefined;
}

/** Judges whether the pod there is now is the one that the alert means, and whether anything may happen to it. */
export function judgePod(
  suspect: Suspect,
  pod: ClusterPod | undefined,
  { requireNodeMatch }: ReapSettings,
): SkipReason | undefined {
  if (pod === undefined) return 'no-pod';
  if (suspect.uid !== undefined && pod.uid !== suspect.uid) return 'other-pod';
  // Without a UID, only a pod that was surely there already.
  if (suspect.uid === undefined && pod.createdAt + skewMs > suspect.at) return 'younger-than-alert';
  if (pod.hasEnded) return 'ended';
  if (pod.isLeaving) return 'leaving';
  if (pod.isQuarantined) return 'quarantined';
  const isSyscall = suspect.source.startsWith('syscall');
  if (requireNodeMatch && isSyscall && suspect.host !== undefined && suspect.host !== pod.node) return 'node';
  return undefined;
}

export function judgeWorkload(
  workload: ClusterWorkload | undefined,
  pausedBy: string | undefined,
): SkipReason | undefined {
  if (workload === undefined) return 'no-workload';
  if (workload.labels[reapLabel] !== 'true') return 'not-opted-in';
  return pausedBy === undefined ? undefined : 'paused';
}

export interface Room {
  /** All pods of the workload as they are this moment. */
  readonly pods: readonly ClusterPod[];
  /** UIDs that were reaped, whatever the API server shows of them yet. */
  readonly reaped: ReadonlySet<string>;
  readonly reapedOfWorkload: number;
  readonly reapedOfAll: number;
  /** `spec.replicas` when the attack began. */
  readonly replicasBefore: number;
}

/** Judges whether the workload can afford it. */
export function judgeRoom(
  pod: ClusterPod,
  { pods, reaped, reapedOfWorkload, reapedOfAll, replicasBefore }: Room,
  { minAvailable, maxPerWorkload, maxPerCluster }: ReapSettings,
): SkipReason | undefined {
  if (reaped.has(pod.uid)) return 'already-reaped';
  if (reapedOfWorkload >= maxPerWorkload) return 'workload-limit';
  if (reapedOfAll >= maxPerCluster) return 'cluster-limit';
  const left = pods.filter(
    ({ uid, isReady, isLeaving, hasEnded }) =>
      uid !== pod.uid && isReady && !isLeaving && !hasEnded && !reaped.has(uid),
  );
  return left.length < floorOf(minAvailable, replicasBefore) ? 'floor' : undefined;
}

/** How many must stay available: `3`, or `50%` of what there was, rounded up. */
export function floorOf(minAvailable: string, replicasBefore: number): number {
  if (!minAvailable.endsWith('%')) return Number(minAvailable);
  return Math.ceil((Number(minAvailable.slice(0, -1)) * replicasBefore) / 100);
}
