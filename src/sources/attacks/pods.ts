import type { Signature } from '#src/alerts/alert-filter.ts';
import type { WorkloadHistory } from '#src/sources/attacks/workload-history.ts';

/** When alerts of one signature were first and last about a pod, epoch ms. */
export interface Seen {
  readonly signature: Signature;
  first: number;
  last: number;
}

/** A pod that alerts were about. There may be 200,000: their arrays are made by concat, as one that grows takes ten times its length. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  uid: string | undefined;
  /** Of all its alerts. */
  first: number;
  last: number;
  /** By signature; few. */
  seen: readonly Seen[];
  /** Where it is counted. */
  histories: readonly WorkloadHistory[];
  /** All pods of this name, itself among them; none once it is no longer tracked. */
  namesakes: readonly Pod[];
}

/** The pods that are tracked, told apart by UID where that is known. */
export class Pods {
  /** By namespace, then name: no text is made for finding one. */
  readonly #byName = new Map<string, Map<string, readonly Pod[]>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** All pods of a name. */
  namesakes(namespace: string, name: string): readonly Pod[] {
    return this.#byName.get(namespace)?.get(name) ?? [];
  }

  /**
   * The pod that an alert at this time is about; a new one where there is none. Without a UID it is the one of that name
   * alive then: the latest that was first seen by then, else the earliest. A UID that comes later is attached to the pod
   * that has none.
   */
  find({ namespace, name, uid, at }: Sighting): Pod {
    const pods = this.namesakes(namespace, name);
    const found = uid === undefined ? aliveAt(pods, at) : withUid(pods, uid);
    if (found !== undefined) {
      found.uid ??= uid;
      return found;
    }
    const pod: Pod = { namespace, name, uid, first: at, last: at, seen: [], histories: [], namesakes: [] };
    this.#size++;
    this.#setNamesakes(pod, pods.concat(pod));
    return pod;
  }

  remove(pod: Pod): void {
    if (pod.namesakes.length === 0) return;
    this.#size--;
    this.#setNamesakes(
      pod,
      pod.namesakes.filter((other) => other !== pod),
    );
    pod.namesakes = [];
  }

  *[Symbol.iterator](): Generator<Pod> {
    for (const byName of this.#byName.values()) for (const pods of byName.values()) yield* pods;
  }

  #setNamesakes({ namespace, name }: Pod, pods: readonly Pod[]): void {
    const byName = this.#byName.get(namespace) ?? new Map<string, readonly Pod[]>();
    if (pods.length > 0) byName.set(name, pods);
    else byName.delete(name);
    if (byName.size > 0) this.#byName.set(namespace, byName);
    else this.#byName.delete(namespace);
    for (const pod of pods) pod.namesakes = pods;
  }
}

/** An alert of this signature was about the pod. */
export function noteSeen(pod: Pod, signature: Signature, at: number): void {
  if (at < pod.first) pod.first = at;
  if (at > pod.last) pod.last = at;
  for (const seen of pod.seen) {
    if (seen.signature !== signature) continue;
    if (at > seen.last) seen.last = at;
    else if (at < seen.first) seen.first = at;
    return;
  }
  pod.seen = pod.seen.concat({ signature, first: at, last: at });
}

/** What lies beyond `latest` is moved there. */
export function clamp(pod: Pod, latest: number): void {
  for (const times of [pod, ...pod.seen]) {
    times.first = Math.min(times.first, latest);
    times.last = Math.min(times.last, latest);
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
