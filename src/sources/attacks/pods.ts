import type { Signature } from '#src/alerts/alert-filter.ts';
import type { WorkloadHistory } from '#src/sources/attacks/workload-history.ts';

/** When alerts of one signature were first and last about a pod, epoch ms. */
export interface Seen {
  readonly signature: Signature;
  first: number;
  last: number;
}

/** A pod that alerts were about. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  uid: string | undefined;
  /** Of all its alerts. */
  first: number;
  last: number;
  /** By signature; few. */
  readonly seen: Seen[];
  /** Where it is counted. */
  readonly histories: WorkloadHistory[];
  /** It is no longer tracked: whoever remembers it must look again. */
  isGone: boolean;
}

/** Pods of one name, in the order in which they were first seen. */
export interface Namesakes {
  readonly pods: Pod[];
}

/** The pods that are tracked, told apart by UID where that is known. */
export class Pods {
  readonly #byName = new Map<string, Namesakes>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  namesakes(namespace: string, name: string): Namesakes {
    const key = `${namespace}/${name}`;
    let found = this.#byName.get(key);
    if (found === undefined) {
      found = { pods: [] };
      this.#byName.set(key, found);
    }
    return found;
  }

  /**
   * The pod that an alert at this time is about; a new one where there is none. Without a UID it is the one of that name
   * alive then: the latest that was first seen by then, else the earliest. A UID that comes later is attached to the pod
   * that has none.
   */
  find(namesakes: Namesakes, { namespace, name, uid, at }: Sighting): Pod {
    const { pods } = namesakes;
    const found = uid === undefined ? aliveAt(pods, at) : withUid(pods, uid);
    if (found !== undefined) {
      found.uid ??= uid;
      return found;
    }
    const pod: Pod = { namespace, name, uid, first: at, last: at, seen: [], histories: [], isGone: false };
    this.#size++;
    pods.push(pod);
    // They may have been let go of meanwhile.
    this.#byName.set(`${namespace}/${name}`, namesakes);
    return pod;
  }

  remove(pod: Pod): void {
    const key = `${pod.namespace}/${pod.name}`;
    const namesakes = this.#byName.get(key);
    const index = namesakes?.pods.indexOf(pod) ?? -1;
    if (namesakes === undefined || index < 0) return;
    pod.isGone = true;
    this.#size--;
    namesakes.pods.splice(index, 1);
    if (namesakes.pods.length === 0) this.#byName.delete(key);
  }

  *[Symbol.iterator](): Generator<Pod> {
    for (const { pods } of this.#byName.values()) yield* pods;
  }
}

interface Sighting {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
  readonly at: number;
}

function withUid(pods: readonly Pod[], uid: string): Pod | undefined {
  return pods.find((pod) => pod.uid === uid) ?? pods.find((pod) => pod.uid === undefined);
}

function aliveAt(pods: readonly Pod[], at: number): Pod | undefined {
  let [alive, earliest] = [undefined as Pod | undefined, pods[0]];
  for (const pod of pods) {
    if (pod.first <= at && (alive === undefined || pod.first >= alive.first)) alive = pod;
    if (earliest === undefined || pod.first < earliest.first) earliest = pod;
  }
  return alive ?? earliest;
}
