import type { V1OwnerReference, V1Pod } from '@kubernetes/client-node';
import { quarantineLabel } from '#src/cluster/labels.ts';
import type { Controller } from '#src/cluster/reference.ts';

/** A pod as the API server knows it: what anybody here needs of it. */
export interface ClusterPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Epoch ms, whole seconds. */
  readonly createdAt: number;
  readonly node: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly controller: Controller | undefined;
  readonly isReady: boolean;
  /** When it became Ready, epoch ms, whole seconds; undefined while it is not. */
  readonly readyAt: number | undefined;
  /** It is being deleted. */
  readonly isLeaving: boolean;
  /** It has run to its end, well or not. */
  readonly hasEnded: boolean;
  readonly isQuarantined: boolean;
  readonly resourceVersion: string;
}

export function clusterPod(pod: V1Pod): ClusterPod {
  const { metadata = {}, spec, status } = pod;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const isReady = ready?.status === 'True';
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    createdAt: timeOf(metadata.creationTimestamp) ?? 0,
    node: spec?.nodeName,
    labels: metadata.labels ?? {},
    controller: controllerOf(metadata.ownerReferences),
    isReady,
    readyAt: isReady ? timeOf(ready?.lastTransitionTime) : undefined,
    isLeaving: metadata.deletionTimestamp !== undefined && metadata.deletionTimestamp !== null,
    hasEnded: status?.phase === 'Succeeded' || status?.phase === 'Failed',
    isQuarantined: metadata.labels?.[quarantineLabel] === 'true',
    resourceVersion: metadata.resourceVersion ?? '',
  };
}

/** In place: takes out what makes a pod large, so that thousands can be held. */
export function trimPod(pod: V1Pod): void {
  const { metadata, spec, status } = pod;
  if (metadata) {
    delete metadata.managedFields;
    delete metadata.annotations;
  }
  if (spec) pod.spec = { nodeName: spec.nodeName } as NonNullable<V1Pod['spec']>;
  if (status) {
    const conditions = status.conditions?.filter(({ type }) => type === 'Ready');
    pod.status = { phase: status.phase, conditions } as NonNullable<V1Pod['status']>;
  }
}

export function controllerOf(owners: readonly V1OwnerReference[] | undefined): Controller | undefined {
  const owner = owners?.find(({ controller }) => controller === true);
  return owner && { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.name, uid: owner.uid };
}

/** What a watch gives is text, what a list gives is a date. */
function timeOf(time: Date | string | undefined): number | undefined {
  if (time === undefined || time === null) return undefined;
  const ms = new Date(time).getTime();
  return Number.isNaN(ms) ? undefined : ms;
}
