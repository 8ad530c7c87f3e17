import { CoreV1Api } from '@kubernetes/client-node';
import type { Clock } from '#src/clock.ts';
import { apiFailure } from '#src/cluster/api-failure.ts';
import { type ClusterPod, clusterPod } from '#src/cluster/cluster-pod.ts';
import { LivePods, type LivePodsParts } from '#src/cluster/live-pods.ts';
import type { ClusterWorkload, Objects } from '#src/cluster/objects.ts';
import { type Reference, wellKnownKinds } from '#src/cluster/reference.ts';
import { Failure } from '#src/failure.ts';

/** A workload as a trigger names it: without a kind the first of that name is meant, Deployments first. */
export interface NamedWorkload {
  readonly namespace: string;
  /** Lower case. */
  readonly kind: string | undefined;
  readonly name: string;
  /** Where it is known. */
  readonly apiVersion?: string | undefined;
}

interface Followed {
  pods: LivePods | undefined;
  failure: Failure | undefined;
  looking: Promise<void> | undefined;
  /** When it was last looked for. */
  at: number;
  usedAt: number;
}

const idleMs = 15 * 60_000;
/** Each is a connection to the API server that stays open. */
const mostFollowed = 300;
const retryMs = 5_000;

/** The pods of those workloads that somebody asks about. */
export class Workloads {
  readonly #objects: Objects;
  readonly #parts: LivePodsParts;
  readonly #clock: Clock;
  readonly #api: CoreV1Api;
  readonly #followed = new Map<string, Followed>();

  constructor(objects: Objects, parts: LivePodsParts) {
    this.#objects = objects;
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#api = parts.connection.makeApiClient(CoreV1Api);
  }

  /** The workload as it is now; undefined where there is none of that name. Throws a `Failure`. */
  async find({ namespace, kind, name, apiVersion }: NamedWorkload): Promise<ClusterWorkload | undefined> {
    for (const candidate of candidates(kind, apiVersion)) {
      try {
        const found = await this.#objects.read({ ...candidate, name }, namespace);
        if (found !== undefined) return found;
      } catch (thrown) {
        const failure = Failure.from(thrown);
        // Without a kind it is looked for wherever one may look.
        if (kind !== undefined || failure.code !== 'permission-denied') throw failure;
      }
    }
    return undefined;
  }

  /** The pods of a workload as they are this moment. Throws a `Failure`. */
  async listPods({ namespace, selector, name: of }: ClusterWorkload): Promise<ClusterPod[]> {
    if (selector === undefined) return [];
    try {
      const { items } = await this.#api.listNamespacedPod({ namespace, labelSelector: selector });
      return items.map(clusterPod);
    } catch (thrown) {
      throw apiFailure(thrown, `reading the pods of ${namespace}/${of}`);
    }
  }

  /** Its pods, live. Throws `unavailable` until they are known, and `not-found` where there is no such workload. */
  podsOf(workload: NamedWorkload): LivePods {
    const followed = this.#entry(workload);
    if (followed.pods !== undefined) return followed.pods;
    if (Math.abs(this.#clock.now() - followed.at) >= retryMs) void this.#look(workload, followed);
    throw followed.failure ?? new Failure('unavailable', `${called(workload)} is not known yet`);
  }

  /** The same, as soon as they are known. Rejects with what `podsOf` throws. */
  async follow(workload: NamedWorkload): Promise<LivePods> {
    const followed = this.#entry(workload);
    if (followed.pods === undefined) await (followed.looking ?? this.#look(workload, followed));
    const pods = this.podsOf(workload);
    await pods.started;
    return pods;
  }

  /** Lets go of those that nobody asks about. */
  tidy(): void {
    const now = this.#clock.now();
    for (const [key, { pods, usedAt }] of this.#followed) {
      if (pods?.hasListeners || now - Math.max(usedAt, pods?.usedAt ?? 0) < idleMs) continue;
      pods?.stop();
      this.#followed.delete(key);
    }
  }

  close(): void {
    for (const { pods } of this.#followed.values()) pods?.stop();
    this.#followed.clear();
  }

  #entry(workload: NamedWorkload): Followed {
    const now = this.#clock.now();
    const key = keyOf(workload);
    let followed = this.#followed.get(key);
    if (followed === undefined) {
      if (this.#followed.size >= mostFollowed) {
        throw new Failure('unavailable', `more than ${mostFollowed} workloads are watched already`);
      }
      followed = { pods: undefined, failure: undefined, looking: undefined, at: 0, usedAt: now };
      this.#followed.set(key, followed);
    }
    followed.usedAt = now;
    return followed;
  }

  #look(workload: NamedWorkload, followed: Followed): Promise<void> {
    followed.at = this.#clock.now();
    followed.looking ??= this.#open(workload, followed).finally(() => {
      followed.looking = undefined;
    });
    return followed.looking;
  }

  async #open(workload: NamedWorkload, followed: Followed): Promise<void> {
    try {
      const found = await this.find(workload);
      if (found === undefined) throw new Failure('not-found', `there is no ${called(workload)}`);
      if (found.selector === undefined) {
        throw new Failure('not-found', `${called(workload)} does not say which pods are its own`);
      }
      followed.pods ??= new LivePods(found, this.#parts);
      followed.failure = undefined;
    } catch (thrown) {
      followed.failure = Failure.from(thrown);
    }
  }
}

function candidates(kind: string | undefined, apiVersion: string | undefined): Omit<Reference, 'name'>[] {
  if (kind === undefined) return Object.values(wellKnownKinds);
  const known = wellKnownKinds[kind];
  if (apiVersion === undefined || apiVersion === known?.apiVersion) return known === undefined ? [] : [known];
  return [{ apiVersion, kind }];
}

function keyOf({ namespace, kind, name, apiVersion }: NamedWorkload): string {
  return [namespace, kind, name, apiVersion].join('/');
}

function called({ namespace, kind = 'workload', name }: NamedWorkload): string {
  return `${kind} ${namespace}/${name}`;
}
