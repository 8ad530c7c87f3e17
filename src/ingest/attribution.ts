import type { AlertSubject, FoundPod } from '#src/alerts/alert.ts';
import type { Subjects } from '#src/alerts/subjects.ts';
import type { Clock } from '#src/clock.ts';
import type { Records } from '#src/ingest/records.ts';
import type { Entry } from '#src/journal/entry.ts';

/** The pod that an alert is about: by its UID, or the one of its name that was there at its time. */
export interface PodAtTime {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
  /** Epoch ms. */
  readonly at: number;
}

/** The cluster's pods. */
export interface FindsPods {
  /** What is known without asking; `absent`: there is no such pod; undefined: it must be asked for. */
  recall(pod: PodAtTime): FoundPod | 'absent' | undefined;
  /** Rejects where the cluster cannot tell. */
  find(pod: PodAtTime): Promise<FoundPod | undefined>;
}

export interface AttributionParts {
  readonly pods: FindsPods;
  readonly records: Records;
  readonly subjects: Subjects;
  readonly clock: Clock;
}

/** The first alert about a pod waits this long for the cluster; then its workload is guessed by its name. */
const patienceMs = 250;

/**
 * Says with each alert whose pod it was about, before it is written down: whoever reads the journal later, when the pod is
 * long gone, or in another replica, then knows the same. What nobody can tell is written down as it came.
 */
export class Attribution implements Records {
  readonly #parts: AttributionParts;
  readonly #attributed = new WeakMap<AlertSubject, AlertSubject>();
  readonly #waiting = new Set<Promise<void>>();
  #waitingEntries = 0;

  constructor(parts: AttributionParts) {
    this.#parts = parts;
  }

  /** Also what still waits for the cluster. */
  get backlog(): number {
    return this.#parts.records.backlog + this.#waitingEntries;
  }

  record(entries: readonly Entry[]): Promise<void> {
    const ready: Entry[] = [];
    const unknown = new Map<string, Entry[]>();
    for (const entry of entries) {
      const { subject, at } = entry;
      if (subject.kind !== 'alert') {
        ready.push(entry);
        continue;
      }
      const pod = podOf(subject, at);
      const found = this.#parts.pods.recall(pod);
      if (found === 'absent') ready.push(entry);
      else if (found !== undefined) ready.push(this.#with(entry, subject, found));
      else push(unknown, `${pod.namespace}/${pod.name}/${pod.uid ?? ''}`, entry);
    }
    for (const later of unknown.values()) this.#recordLater(later);
    const written = ready.length > 0 ? this.#parts.records.record(ready) : undefined;
    if (this.#waiting.size === 0) return written ?? this.#parts.records.record(ready);
    return Promise.all([...this.#waiting, written]).then(() => undefined);
  }

  /** All of one pod. */
  #recordLater(entries: readonly Entry[]): void {
    this.#waitingEntries += entries.length;
    const recorded = this.#found(entries).then((attributed) => {
      this.#waitingEntries -= entries.length;
      return this.#parts.records.record(attributed);
    });
    this.#waiting.add(recorded);
    const forget = () => this.#waiting.delete(recorded);
    recorded.then(forget, forget);
  }

  async #found(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const [first] = entries;
    if (first?.subject.kind !== 'alert') return entries;
    const found = await this.#patiently(podOf(first.subject, first.at));
    if (found === undefined) return entries;
    return entries.map((entry) =>
      entry.subject.kind === 'alert' ? this.#with(entry, entry.subject, found) : entry,
    );
  }

  #patiently(pod: PodAtTime): Promise<FoundPod | undefined> {
    const { clock, pods } = this.#parts;
    return new Promise((resolve) => {
      const stopTimer = clock.after(patienceMs, () => resolve(undefined));
      pods
        .find(pod)
        .catch(() => undefined)
        .then((found) => {
          stopTimer();
          resolve(found);
        });
    });
  }

  #with(entry: Entry, subject: AlertSubject, found: FoundPod): Entry {
    let attributed = this.#attributed.get(subject);
    if (attributed?.found?.uid !== found.uid || attributed.found.owners.length !== found.owners.length) {
      attributed = this.#parts.subjects.intern({ ...subject, found });
      this.#attributed.set(subject, attributed);
    }
    return { ...entry, subject: attributed };
  }
}

function push(into: Map<string, Entry[]>, key: string, entry: Entry): void {
  const known = into.get(key);
  if (known === undefined) into.set(key, [entry]);
  else known.push(entry);
}

function podOf({ namespace, pod, podUid }: AlertSubject, at: number): PodAtTime {
  return { namespace, name: pod, uid: podUid, at };
}
