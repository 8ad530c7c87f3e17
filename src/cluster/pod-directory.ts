import { CoreV1Api } from '@kubernetes/client-node';
import type { Clock } from '#src/clock.ts';
import { apiFailure, statusOf } from '#src/cluster/api-failure.ts';
import { type ClusterPod, clusterPod } from '#src/cluster/cluster-pod.ts';
import type { Connection } from '#src/cluster/connection.ts';
import type { OwnerChains } from '#src/cluster/owner-chains.ts';
import type { Controller } from '#src/cluster/reference.ts';
import { RecentlyUsed } from '#src/recently-used.ts';
import { TokenBucket } from '#src/token-bucket.ts';

/** A pod with everything above it, the nearest first. */
export interface PodWithOwners {
  readonly pod: ClusterPod;
  readonly owners: readonly Controller[];
}

export interface PodQuestion {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
}

interface Known {
  readonly found: PodWithOwners | undefined;
  readonly at: number;
}

/** How long a name is believed that another pod may take over; one with random letters is not given twice. */
const nameHoldsMs = 5_000;
const randomNameHoldsMs = 10 * 60_000;
const namesRandomly = new Set(['ReplicaSet', 'DaemonSet', 'Job']);
/** How long a pod that is not there is not asked for again: a flood about invented pods costs this much. */
const absenceHoldsMs = 2_000;
/** A quarter of it at once: what an attack on many pods costs the API server at most. */
const lookupsPerMinute = 1_200;
const mostWaiting = 500;

/** Pods, looked up one by one when something is said about them: the cost follows the attacked, not the cluster. */
export class PodDirectory {
  readonly #api: CoreV1Api;
  readonly #chains: OwnerChains;
  readonly #clock: Clock;
  readonly #budget: TokenBucket;
  readonly #known = new RecentlyUsed<Known>({ entries: 20_000, weight: 4_000_000 });
  readonly #asking = new Map<string, Promise<PodWithOwners | undefined>>();

  constructor({ connection, chains, clock }: { connection: Connection; chains: OwnerChains; clock: Clock }) {
    this.#api = connection.makeApiClient(CoreV1Api);
    this.#chains = chains;
    this.#clock = clock;
    this.#budget = new TokenBucket(lookupsPerMinute, clock.now());
  }

  /** What memory holds: the pod, `absent`, or undefined where it must be asked for. */
  recall({ namespace, name, uid }: PodQuestion): PodWithOwners | 'absent' | undefined {
    const known = this.#known.get(`${namespace}/${name}`);
    if (known === undefined) return undefined;
    const age = Math.abs(this.#clock.now() - known.at);
    if (known.found !== undefined && uid !== undefined && known.found.pod.uid === uid) return known.found;
    if (known.found === undefined || uid !== undefined) return age < absenceHoldsMs ? 'absent' : undefined;
    const isRandom = namesRandomly.has(known.found.pod.controller?.kind ?? '');
    return age < (isRandom ? randomNameHoldsMs : nameHoldsMs) ? known.found : undefined;
  }

  /**
   * Asks the API server; undefined where there is no such pod, or none with this UID. Throws `unavailable`, also when too
   * many are asked for, and `permission-denied`.
   */
  async find(question: PodQuestion): Promise<PodWithOwners | undefined> {
    const key = `${question.namespace}/${question.name}`;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      if (this.#asking.size >= mostWaiting || !this.#budget.take(this.#clock.now())) {
        throw apiFailure(new Error('too many pods are asked for at once'), `reading pod ${key}`);
      }
      asking = this.#read(question).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    const found = await asking;
    return question.uid === undefined || found?.pod.uid === question.uid ? found : undefined;
  }

  /** The pod as it is this moment. Throws `unavailable` and `permission-denied`. */
  async fresh(namespace: string, name: string): Promise<ClusterPod | undefined> {
    try {
      return clusterPod(await this.#api.readNamespacedPod({ namespace, name }));
    } catch (thrown) {
      if (statusOf(thrown) === 404) return undefined;
      throw apiFailure(thrown, `reading pod ${namespace}/${name}`);
    }
  }

  /** With everything above it, as it is this moment. Throws like `fresh`. */
  async freshWithOwners(namespace: string, name: string): Promise<PodWithOwners | undefined> {
    const pod = await this.fresh(namespace, name);
    return pod && { pod, owners: await this.#chains.of(namespace, pod.controller) };
  }

  async #read({ namespace, name }: PodQuestion): Promise<PodWithOwners | undefined> {
    const found = await this.freshWithOwners(namespace, name);
    this.#known.set(`${namespace}/${name}`, { found, at: this.#clock.now() });
    return found;
  }
}
