import type { Objects } from '#src/cluster/objects.ts';
import { type Controller, groupOf } from '#src/cluster/reference.ts';
import { Failure } from '#src/failure.ts';
import { RecentlyUsed } from '#src/recently-used.ts';

const longest = 6;

/** Who controls a controller, remembered by UID: thousands of pods share a few. */
export class OwnerChains {
  readonly #objects: Pick<Objects, 'read'>;
  readonly #above = new RecentlyUsed<Promise<Controller | undefined>>({ entries: 20_000, weight: 2_000_000 });

  constructor(objects: Pick<Objects, 'read'>) {
    this.#objects = objects;
  }

  /**
   * The controllers above a pod, the nearest first: ReplicaSet, Deployment, and whatever made that. One that may not be
   * read, or is gone, ends the chain. Throws `unavailable`.
   */
  async of(namespace: string, nearest: Controller | undefined): Promise<readonly Controller[]> {
    const chain: Controller[] = [];
    for (let owner = nearest; owner !== undefined && chain.length < longest; ) {
      chain.push(owner);
      owner = await this.#ownerOf(namespace, owner);
    }
    return chain;
  }

  #ownerOf(namespace: string, controller: Controller): Promise<Controller | undefined> {
    // Of the core group only the ReplicationController controls pods, and nothing controls that.
    if (groupOf(controller.apiVersion) === '') return Promise.resolve(undefined);
    const known = this.#above.get(controller.uid);
    if (known !== undefined) return known;
    const reading = this.#read(namespace, controller);
    this.#above.set(controller.uid, reading);
    return reading;
  }

  async #read(namespace: string, controller: Controller): Promise<Controller | undefined> {
    try {
      const found = await this.#objects.read(controller, namespace);
      return found?.uid === controller.uid ? found.controller : undefined;
    } catch (thrown) {
      const failure = Failure.from(thrown);
      if (failure.code === 'permission-denied') return undefined;
      this.#above.set(controller.uid, undefined as never);
      throw failure;
    }
  }
}

/** What may be acted on: the Deployment above a ReplicaSet, the CronJob above a Job, else what controls the pod itself. */
export function workloadOf<T extends { readonly kind: string }>(chain: readonly T[]): T | undefined {
  const [nearest, above] = chain;
  const isStep = /^(?:replicaset|job)$/i.test(nearest?.kind ?? '');
  return isStep && above !== undefined ? above : nearest;
}
