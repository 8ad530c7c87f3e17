import { Failure } from '#src/failure.ts';
import { coarserSteps, Sums } from '#src/journal/coarsen.ts';
import type { Batch, Entry, Subject } from '#src/journal/entry.ts';
import { Followers } from '#src/journal/followers.ts';
import { HighWater } from '#src/journal/high-water.ts';
import type { Follower, FollowOptions, Journal, JournalObserver } from '#src/journal/journal.ts';
import { tickMs } from '#src/journal/resolution.ts';

export interface MemoryJournalOptions {
  readonly observer: JournalObserver;
  readonly retentionMs: number;
  readonly maxBytes: number;
}

/** Entries that were appended, or made coarser, together. */
interface Row {
  readonly id: number;
  readonly stepMs: number;
  readonly entries: readonly Entry[];
  readonly newest: number;
}

/** What an entry takes in memory, roughly. */
const bytesPerEntry = 64;

/** For trials: everything is as durable as the process. */
export class MemoryJournal implements Journal {
  readonly backlog = 0;
  readonly completeSince = 0;
  readonly #options: MemoryJournalOptions;
  readonly #followers = new Followers();
  readonly #highWater = new HighWater();
  #rows: Row[] = [];
  #nextRow = 1;
  #compactedTo = 0;
  #entries = 0;
  #closed = false;

  constructor(options: MemoryJournalOptions) {
    this.#options = options;
  }

  append(batch: Batch): Promise<void> {
    if (this.#closed) return Promise.reject(new Failure('unavailable', 'the journal is closed'));
    const { entries } = this.#highWater.take(batch);
    if (entries.length > 0) {
      const row = rowOf(this.#nextRow++, tickMs, entries);
      this.#rows.push(row);
      this.#entries += entries.length;
      this.#followers.deliver(entries, String(row.id));
    }
    return Promise.resolve();
  }

  async follow(follower: Follower, { from, signal }: FollowOptions): Promise<void> {
    const after = from === undefined ? 0 : Number(from);
    if (from !== undefined && after < this.#compactedTo) {
      throw new Failure(
        'not-found',
        'the journal is coarser than this position by now: follow from the start',
      );
    }
    const past = this.#rows.filter(({ id }) => id > after);
    await this.#followers.join(follower, signal, async () => {
      for (const { id, entries } of past) if (!signal.aborted) follower(entries, String(id));
    });
  }

  async compact(now: number): Promise<void> {
    const { observer, retentionMs, maxBytes } = this.#options;
    this.#keep(this.#rows.filter(({ newest }) => newest >= now - retentionMs));
    for (const { ageMs, stepMs } of coarserSteps) this.#coarsen(now - ageMs, stepMs);
    const lost = this.#dropAbove(maxBytes / bytesPerEntry);
    if (lost > 0) observer.lost(lost);
    observer.size(this.#entries * bytesPerEntry);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #coarsen(until: number, stepMs: number): void {
    const old = this.#rows.filter((row) => row.stepMs < stepMs && row.newest < until);
    const last = old.at(-1);
    if (last === undefined) return;
    const sums = new Sums<Subject>(stepMs);
    for (const { entries } of old) for (const { subject, at, count } of entries) sums.add(subject, at, count);
    const entries: Entry[] = [];
    sums.each((subject, at, count) => {
      entries.push({ subject, at, count });
    });
    this.#compactedTo = Math.max(this.#compactedTo, last.id);
    const merged = rowOf(last.id, stepMs, entries);
    const gone = new Set(old.slice(0, -1));
    this.#keep(this.#rows.filter((row) => !gone.has(row)).map((row) => (row === last ? merged : row)));
  }

  /** Gives up the oldest rows, but never the newest one; answers how many entries that cost. */
  #dropAbove(mostEntries: number): number {
    let [lost, rows] = [0, 0];
    while (this.#entries - lost > mostEntries && rows < this.#rows.length - 1) {
      lost += this.#rows[rows++]?.entries.length ?? 0;
    }
    this.#keep(this.#rows.slice(rows));
    return lost;
  }

  #keep(rows: Row[]): void {
    this.#rows = rows;
    this.#entries = rows.reduce((sum, { entries }) => sum + entries.length, 0);
  }
}

function rowOf(id: number, stepMs: number, entries: readonly Entry[]): Row {
  return { id, stepMs, entries, newest: entries.reduce((newest, { at }) => Math.max(newest, at), 0) };
}
