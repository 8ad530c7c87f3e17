import type { AlertSubject, Sender } from '#src/alerts/alert.ts';
import type { Subjects } from '#src/alerts/subjects.ts';
import type { Clock } from '#src/clock.ts';
import type { IngestObserver, Outcome } from '#src/ingest/observer.ts';
import type { ParsedAlert, Reading } from '#src/ingest/reading.ts';
import { LastingRecords, type Records } from '#src/ingest/records.ts';
import type { Repeats } from '#src/ingest/repeats.ts';
import { Sums } from '#src/ingest/sums.ts';
import { Tallier } from '#src/ingest/tallier.ts';
import { floorTo, mostAheadMs, tickMs } from '#src/journal/resolution.ts';

export interface IntakeOptions {
  readonly records: Records;
  /** Shared with the journal, so that what it reads back and what comes in are the same objects. */
  readonly subjects: Subjects;
  readonly repeats: Repeats;
  readonly observer: IngestObserver;
  readonly clock: Clock;
  /** What is older than this counts only as late, ms. */
  readonly retentionMs: number;
  /** Ours; an alert that names another is foreign. Undefined: every cluster's alerts count. */
  readonly clusterName: string | undefined;
  /** Who we are to the API server: what our own requests raise is no attack. Undefined without a cluster. */
  readonly ownUser?: string | undefined;
}

/** Who speaks. */
export interface Speaker {
  readonly sender: Sender;
  /** What the credential may speak for; undefined: every namespace. */
  readonly namespaces: ReadonlySet<string> | undefined;
}

export type Counts = Readonly<Partial<Record<Outcome, number>>>;

export interface Taken {
  readonly counts: Counts;
  /** Alerts whose time could not be read: they happened when they arrived. */
  readonly undated: number;
}

/** Decides what each alert of a reading is, and has those that count recorded. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #records: LastingRecords;
  readonly #tallier: Tallier;
  readonly #tally = (subject: AlertSubject, at: number) => this.#tallier.add(subject, at);

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#records = new LastingRecords(options.records);
    this.#tallier = new Tallier(this.#records, options.clock);
  }

  get backlog(): number {
    return this.#records.backlog;
  }

  /** For senders that never send again: counted in memory, durable soon after. */
  takeFromMemory(reading: Reading, speaker: Speaker): Taken {
    return this.#take(reading, speaker, this.#tally);
  }

  /**
   * For senders that send again until they hear that it is durable. `durable` also speaks for what this body repeats of
   * earlier ones, which may not have been durable yet.
   */
  take(reading: Reading, speaker: Speaker): Taken & { durable: Promise<void> } {
    const sums = new Sums();
    const taken = this.#take(reading, speaker, (subject, at) => sums.add(subject, at, true));
    const entries = sums.take();
    const durable = entries.length > 0 ? this.#records.record(entries) : this.#records.settled();
    return { ...taken, durable };
  }

  /** Records what still waits; resolves when everything is durable, rejects when it is not. */
  flush(): Promise<void> {
    return this.#tallier.flush();
  }

  #take(reading: Reading, speaker: Speaker, count: (subject: AlertSubject, at: number) => void): Taken {
    const now = this.#options.clock.now();
    const counts: Partial<Record<Outcome, number>> = {};
    let undated = 0;
    for (const alert of reading.alerts) {
      const outcome = this.#judge(alert, speaker, now);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      if (alert.at === undefined) undated += 1;
      if (outcome === 'accepted') count(this.#options.subjects.intern(alert), tickOf(alert.at, now));
    }
    if (reading.malformed > 0) counts.malformed = reading.malformed;
    if (reading.signsOfLife > 0) counts['sign-of-life'] = reading.signsOfLife;
    for (const outcome in counts) {
      this.#options.observer.counted(speaker.sender, outcome as Outcome, counts[outcome as Outcome] ?? 0);
    }
    return { counts, undated };
  }

  /** Only what would count touches the memory of repeats: what a credential may not say must not silence others. */
  #judge(alert: ParsedAlert, { namespaces }: Speaker, now: number): Outcome {
    const { retentionMs, clusterName, ownUser, repeats } = this.#options;
    if (clusterName !== undefined && alert.cluster !== undefined && alert.cluster !== clusterName) {
      return 'foreign';
    }
    if (ownUser !== undefined && alert.user === ownUser) return 'own';
    if (namespaces !== undefined && alert.namespace !== '' && !namespaces.has(alert.namespace)) {
      return 'forbidden';
    }
    if (alert.pod === '' || alert.namespace === '') return 'podless';
    if (alert.ended) {
      repeats.forget(alert);
      return 'repeated';
    }
    if (alert.at !== undefined && now - alert.at > retentionMs) return 'late';
    return repeats.isRepeat(alert) ? 'repeated' : 'accepted';
  }
}

/** What claims to be far ahead, or has no time that can be read, happened when it arrived. */
function tickOf(at: number | undefined, now: number): number {
  return floorTo(tickMs, at === undefined || at > now + mostAheadMs ? now : at);
}
