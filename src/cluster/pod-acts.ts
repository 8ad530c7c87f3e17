import { CoreV1Api, PatchStrategy, PolicyV1Api, setHeaderOptions } from '@kubernetes/client-node';
import { apiFailure, messageOf, statusOf } from '#src/cluster/api-failure.ts';
import type { ClusterPod } from '#src/cluster/cluster-pod.ts';
import type { Connection } from '#src/cluster/connection.ts';
import { formerLabels, quarantineLabel } from '#src/cluster/labels.ts';

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

  constructor(connection: Connection) {
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
  async quarantine(pod: ClusterPod): Promise<ActOutcome> {
    const { namespace, name, uid, resourceVersion } = pod;
    try {
      const { metadata } = await this.#core.readNamespacedPod({ namespace, name });
      if (metadata?.uid !== uid || metadata.resourceVersion !== resourceVersion) return { kind: 'changed' };
      const annotations = { ...metadata.annotations, [formerLabels]: JSON.stringify(metadata.labels ?? {}) };
      const body = [
        { op: 'test', path: '/metadata/uid', value: uid },
        { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'add', path: '/metadata/annotations', value: annotations },
        { op: 'add', path: '/metadata/labels', value: { [quarantineLabel]: 'true' } },
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

  /** Pods in quarantine, of all namespaces or one. Throws a `Failure`. */
  async quarantined(namespace: string | undefined) {
    const labelSelector = `${quarantineLabel}=true`;
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

function outcomeOf(thrown: unknown, doing: string): ActOutcome {
  const status = statusOf(thrown);
  if (status === 404) return { kind: 'gone' };
  // 422: a JSON patch whose test failed.
  if (status === 409 || status === 422) return { kind: 'changed' };
  if (status === 429) return { kind: 'blocked', reason: messageOf(thrown) };
  throw apiFailure(thrown, doing);
}
