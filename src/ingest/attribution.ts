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

  constructor(parts: AttributionParts) {
    this.#parts = parts;
  }

  get backlog(): number {
    return this.#parts.records.backlog;
  }

  async record(entries: readonly Entry[]): Promise<void> {
    const { records, pods } = this.#parts;
    const ready: Entry[] = [];
    const later = new Map<string, Entry[]>();
    for (const entry of entries) {
      const { subject, at } = entry;
      const found = subject.kind === 'alert' ? pods.recall(podOf(subject, at)) : 'absent';
      if (found !== undefined) ready.push(found === 'absent' ? entry : this.#with(entry, found));
      else if (subject.kind === 'alert') {
        const key = `${subject.namespace}/${subject.pod}/${subject.podUid ?? ''}`;
        const waiting = later.get(key);
        if (waiting === undefined) later.set(key, [entry]);
        else waiting.push(entry);
      }
    }
    const written = ready.length > 0 || later.size === 0 ? [records.record(ready)] : [];
    await Promise.all([...written, ...Array.from(later.values(), (waiting) => this.#recordLater(waiting))]);
  }

  /** All of one pod. */
  async #recordLater(entries: readonly Entry[]): Promise<void> {
    const [first] = entries;
    if (first?.subject.kind !== 'alert') return;
    const found = await this.#patiently(podOf(first.subject, first.at));
    await this.#parts.records.record(
      found === undefined ? entries : entries.map((entry) => this.#with(entry, found)),
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

  #with(entry: Entry, found: FoundPod): Entry {
    const { subject } = entry;
    if (subject.kind !== 'alert') return entry;
    const known = this.#attributed.get(subject);
    if (known?.found?.uid === found.uid && known.found.owners.length === found.owners.length) {
      return { ...entry, subject: known };
    }
    const attributed = this.#parts.subjects.intern({ ...subject, found });
    this.#attributed.set(subject, attributed);
    return { ...entry, subject: attributed };
  }
}

function podOf({ namespace, pod, podUid }: AlertSubject, at: number): PodAtTime {
  return { namespace, name: pod, uid: podUid, at };
}
