import { CoreV1Api, PatchStrategy, PolicyV1Api, setHeaderOptions, type V1Pod } from '@kubernetes/client-node';
import type { Clock } from '#src/clock.ts';
import { apiFailure, messageOf, statusOf } from '#src/cluster/api-failure.ts';
import { type ClusterPod, clusterPod } from '#src/cluster/cluster-pod.ts';
import type { Connection } from '#src/cluster/connection.ts';
import { formerLabels, quarantinedAt, quarantinedFrom, quarantineLabel } from '#src/cluster/labels.ts';
import type { ClusterWorkload } from '#src/cluster/objects.ts';

/**
 * - `done`: the API server has taken it.
 * - `gone`: there is no such pod any more.
 * - `changed`: it is not what was decided on; look and decide again.
 * - `blocked`: a PodDisruptionBudget forbids it now; `reason` says which.
 */
export type ActOutcome =
  | { readonly kind: 'done' | 'gone' | 'changed' }
  | { readonly kind: 'blocked'; readonly reason: string };

/** What may be done to a pod. Each act names the pod by UID and version, so that it can meet no other. */
export class PodActs {
  readonly #core: CoreV1Api;
  readonly #policy: PolicyV1Api;

  readonly #clock: Clock;

  constructor({ connection, clock }: { connection: Connection; clock: Clock }) {
    this.#clock = clock;
    this.#core = connection.makeApiClient(CoreV1Api);
    this.#policy = connection.makeApiClient(PolicyV1Api);
  }

  /** `graceSeconds` undefined: as the pod itself says. Throws `unavailable` and `permission-denied`. */
  async evict(pod: ClusterPod, graceSeconds: number | undefined): Promise<ActOutcome> {
    const { namespace, name, uid, resourceVersion } = pod;
    const deleteOptions = {
      preconditions: { uid, resourceVersion },
      ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
    };
    try {
      await this.#core.createNamespacedPodEviction({
        namespace,
        name,
        body: { metadata: { name, namespace }, deleteOptions },
      });
      return { kind: 'done' };
    } catch (thrown) {
      return outcomeOf(thrown, `evicting pod ${namespace}/${name}`);
    }
  }

  /**
   * Takes all labels from a pod, so that its Service and its ReplicaSet let go of it, and gives it one of ours; the former
   * ones stay as an annotation. Throws like `evict`.
   */
  async quarantine(pod: ClusterPod, workload: ClusterWorkload): Promise<ActOutcome> {
    const { namespace, name, uid, resourceVersion } = pod;
    try {
      const { metadata } = await this.#core.readNamespacedPod({ namespace, name });
      if (metadata?.uid !== uid || metadata.resourceVersion !== resourceVersion) return { kind: 'changed' };
      const annotations = {
        ...metadata.annotations,
        [formerLabels]: JSON.stringify(metadata.labels ?? {}),
        [quarantinedAt]: new Date(this.#clock.now()).toISOString(),
      };
      const labels = { [quarantineLabel]: 'true', [quarantinedFrom]: labelOf(workload) };
      const body = [
        { op: 'test', path: '/metadata/uid', value: uid },
        { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'add', path: '/metadata/annotations', value: annotations },
        { op: 'add', path: '/metadata/labels', value: labels },
      ];
      await this.#core.patchNamespacedPod(
        { namespace, name, body },
        setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
      );
      return { kind: 'done' };
    } catch (thrown) {
      return outcomeOf(thrown, `taking pod ${namespace}/${name} out of service`);
    }
  }

  /** How many pods of a workload are in quarantine. Throws a `Failure`. */
  async countQuarantined(workload: ClusterWorkload): Promise<number> {
    const labelSelector = `${quarantineLabel}=true,${quarantinedFrom}=${labelOf(workload)}`;
    return (await this.#list(workload.namespace, labelSelector)).length;
  }

  /** The pods that have been in quarantine for so long, of one namespace or of all. Throws a `Failure`. */
  async quarantinedFor(leastMs: number, namespace: string | undefined): Promise<ClusterPod[]> {
    const now = this.#clock.now();
    const pods = await this.#list(namespace, `${quarantineLabel}=true`);
    return pods
      .filter(({ metadata }) => {
        const since = Date.parse(metadata?.annotations?.[quarantinedAt] ?? '');
        return !(now - since < leastMs);
      })
      .map(clusterPod);
  }

  async #list(namespace: string | undefined, labelSelector: string): Promise<V1Pod[]> {
    try {
      const { items } =
        namespace === undefined
          ? await this.#core.listPodForAllNamespaces({ labelSelector })
          : await this.#core.listNamespacedPod({ namespace, labelSelector });
      return items;
    } catch (thrown) {
      throw apiFailure(thrown, 'listing the pods in quarantine');
    }
  }

  /** Whether any PodDisruptionBudget of the namespace selects by these labels. Throws a `Failure`. */
  async hasBudget(namespace: string, podLabels: Readonly<Record<string, string>>): Promise<boolean> {
    try {
      const { items } = await this.#policy.listNamespacedPodDisruptionBudget({ namespace });
      return items.some(({ spec }) => {
        const labels = Object.entries(spec?.selector?.matchLabels ?? {});
        const isByLabels = labels.length > 0 || (spec?.selector?.matchExpressions?.length ?? 0) > 0;
        return isByLabels && labels.every(([key, value]) => podLabels[key] === value);
      });
    } catch (thrown) {
      throw apiFailure(thrown, `reading the PodDisruptionBudgets of ${namespace}`);
    }
  }
}

function labelOf({ kind, name }: ClusterWorkload): string {
  return `${kind.toLowerCase()}.${name}`.slice(0, 63).replace(/[^A-Za-z0-9]+$/, '');
}

function outcomeOf(thrown: unknown, doing: string): ActOutcome {
  const status = statusOf(thrown);
  if (status === 404) return { kind: 'gone' };
  // 422: a JSON patch whose test failed.
  if (status === 409 || status === 422) return { kind: 'changed' };
  if (status === 429) return { kind: 'blocked', reason: messageOf(thrown) };
  throw apiFailure(thrown, doing);
}
