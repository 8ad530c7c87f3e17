/** An object that another belongs to, or that a ScaledObject scales. */
export interface Reference {
  /** `apps/v1`; `v1` for the core group. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/** A controller, as its dependants name it. */
export interface Controller extends Reference {
  readonly uid: string;
}

/** The kinds that a trigger may name without their API group, by their lower-case names; also in this order where it names none. */
export const wellKnownKinds: Readonly<Record<string, { apiVersion: string; kind: string }>> = {
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment' },
  statefulset: { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  rollout: { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' },
  daemonset: { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  replicaset: { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  cronjob: { apiVersion: 'batch/v1', kind: 'CronJob' },
  job: { apiVersion: 'batch/v1', kind: 'Job' },
};

/** The group of `apps/v1` is `apps`; of `v1` it is empty. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}
