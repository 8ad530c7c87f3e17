import { CoreV1Api, type V1Pod } from '@kubernetes/client-node';
import type { Clock } from '#src/clock.ts';
import { type ClusterPod, clusterPod, trimPod } from '#src/cluster/cluster-pod.ts';
import type { Connection } from '#src/cluster/connection.ts';
import { type ClusterWorkload, describe } from '#src/cluster/objects.ts';
import { Watched } from '#src/cluster/watched.ts';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';

export interface LivePodsParts {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly log: Log;
}

/** Without news for longer, what was last known is no answer any more. */
const staleAfterMs = 30_000;

/** The pods of one workload, by its selector, as they come and go. */
export class LivePods {
  readonly workload: ClusterWorkload;
  readonly #clock: Clock;
  readonly #watched: Watched<V1Pod>;
  readonly #pods = new Map<string, ClusterPod>();
  readonly #listeners = new Set<() => void>();
  readonly started: Promise<void>;
  /** When anybody last looked, epoch ms. */
  usedAt: number;

  constructor(workload: ClusterWorkload, { connection, clock, log }: LivePodsParts) {
    const { namespace, selector } = workload;
    const api = connection.makeApiClient(CoreV1Api);
    this.workload = workload;
    this.#clock = clock;
    this.usedAt = clock.now();
    this.#watched = new Watched<V1Pod>({
      connection,
      path: `/api/v1/namespaces/${namespace}/pods`,
      list: () => api.listNamespacedPod({ namespace, ...(selector ? { labelSelector: selector } : {}) }),
      labelSelector: selector,
      trim: trimPod,
      onChange: (change, pod) => this.#changed(clusterPod(pod), change === 'delete'),
      what: `the pods of ${describe(workload, namespace)}`,
      clock,
      log,
    });
    this.started = this.#watched.start();
  }

  /** All of them. Throws `unavailable` while they are not known, or no longer. */
  get all(): readonly ClusterPod[] {
    const now = this.#clock.now();
    this.usedAt = now;
    const staleMs = this.#watched.staleMs(now);
    if (staleMs === undefined || staleMs > staleAfterMs) {
      const of = describe(this.workload, this.workload.namespace);
      const reason =
        staleMs === undefined ? 'not known yet' : `not known since ${Math.round(staleMs / 1000)} s`;
      throw new Failure('unavailable', `the pods of ${of} are ${reason}`);
    }
    return [...this.#pods.values()];
  }

  /** Those that serve: Ready, and not on their way out. */
  get available(): number {
    return this.all.filter(({ isReady, isLeaving }) => isReady && !isLeaving).length;
  }

  /** Calls `listener` whenever one comes, changes or goes; returns the end of it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  stop(): void {
    this.#watched.stop();
  }

  #changed(pod: ClusterPod, isGone: boolean): void {
    if (isGone) this.#pods.delete(pod.uid);
    else this.#pods.set(pod.uid, pod);
    for (const listener of this.#listeners) listener();
  }
}
