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

/** The first alert about a pod waits this long for the cluster; then its workload is guessed by its name, until the answer comes. */
const patienceMs = 250;
const retriesMs = [1_000, 4_000, 15_000];
const mostRetrying = 1_000;

/**
 * Says with each alert whose pod it was about, before it is written down: whoever reads the journal later, when the pod is
 * long gone, or in another replica, then knows the same. What nobody can tell is written down as it came.
 */
export class Attribution implements Records {
  readonly #parts: AttributionParts;
  readonly #attributed = new WeakMap<AlertSubject, AlertSubject>();
  readonly #waiting = new Set<Promise<void>>();
  #waitingEntries = 0;
  #retrying = 0;

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
    const { clock } = this.#parts;
    const finding = this.#find(podOf(first.subject, first.at));
    let isLate = false;
    const late = new Promise<undefined>((resolve) => {
      const stopTimer = clock.after(patienceMs, () => {
        isLate = true;
        resolve(undefined);
      });
      void finding.then(stopTimer);
    });
    const found = await Promise.race([finding, late]);
    if (isLate) void finding.then((pod) => this.#correct(entries, pod));
    return found === undefined ? entries : this.#all(entries, found);
  }

  /** A cluster that cannot tell now is asked again for a while. */
  async #find(pod: PodAtTime): Promise<FoundPod | undefined> {
    const { pods, clock } = this.#parts;
    for (const pauseMs of retriesMs) {
      try {
        return await pods.find(pod);
      } catch {
        if (this.#retrying >= mostRetrying) return undefined;
      }
      this.#retrying++;
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
      this.#retrying--;
    }
    return pods.find(pod).catch(() => undefined);
  }

  /** What was written down without its pod is said again with it, for no further alert. */
  #correct(entries: readonly Entry[], found: FoundPod | undefined): void {
    if (found === undefined) return;
    const again = this.#all(entries, found).map((entry) => ({ ...entry, count: 0 }));
    this.#parts.records.record(again).catch(() => {
      // It counts in memory; a journal that fails is told by its own metrics.
    });
  }

  #all(entries: readonly Entry[], found: FoundPod): Entry[] {
    return entries.map((entry) =>
      entry.subject.kind === 'alert' ? this.#with(entry, entry.subject, found) : entry,
    );
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
