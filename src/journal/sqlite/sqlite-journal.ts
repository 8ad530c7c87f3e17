import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { Batch, Subject } from '#src/journal/entry.ts';
import { Followers } from '#src/journal/followers.ts';
import { HighWater } from '#src/journal/high-water.ts';
import type { Follower, FollowOptions, Journal, JournalObserver } from '#src/journal/journal.ts';
import { GroupCommit } from '#src/journal/sqlite/group-commit.ts';
import { KeptThread } from '#src/journal/sqlite/kept-thread.ts';
import type { Opened } from '#src/journal/sqlite/messages.ts';
import { RowReader } from '#src/journal/sqlite/row.ts';
import { SubjectIds } from '#src/journal/sqlite/subject-ids.ts';
import { UnwrittenRows } from '#src/journal/sqlite/unwritten-rows.ts';
import type { Log } from '#src/log.ts';

export interface SqliteJournalOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: JournalObserver;
  readonly retentionMs: number;
  readonly maxBytes: number;
  /** Gives the one object for equal subjects, so that what is read and what comes in are the same to who compares them. */
  readonly intern?: ((subject: Subject) => Subject) | undefined;
  /** What is kept in memory while the disk refuses, bytes; 8 MiB unless told. */
  readonly bufferBytes?: number | undefined;
  /** Subjects that the file may tell apart, above which the oldest entries go; 500,000 unless told. */
  readonly mostSubjects?: number | undefined;
  /** SQLite's own bound on the file, pages; for tests of a full disk. */
  readonly maxPages?: number | undefined;
}

/** Little at a time: what a start reads is many times what it keeps. */
const bytesPerRead = 512 * 1024;

/**
 * Opens the journal in one file, which is this process's alone. Rejects with `unavailable` for a file that another
 * process holds or that cannot be written, `invalid` for one that is not ours. A file that cannot be read is moved
 * aside, and a new one begins.
 */
export async function openSqliteJournal(options: SqliteJournalOptions): Promise<SqliteJournal> {
  const subjects = new SubjectIds(options.mostSubjects);
  const thread = new KeptThread(options, () => subjects.rewrite());
  const opened = await thread.open();
  const journal = new SqliteJournal(options, { thread, subjects, opened });
  await journal.learnSubjects();
  return journal;
}

interface Parts {
  readonly thread: KeptThread;
  readonly subjects: SubjectIds;
  readonly opened: Opened;
}

/** The journal in a file of SQLite's, owned by a thread of its own. Positions are `row:entry`. */
export class SqliteJournal implements Journal {
  readonly #options: SqliteJournalOptions;
  readonly #followers = new Followers();
  readonly #highWater = new HighWater();
  readonly #subjects: SubjectIds;
  readonly #rows: UnwrittenRows;
  readonly #commits: GroupCommit;
  readonly #thread: KeptThread;
  /** Followers that are still reading the past: nothing may be merged under their eyes. */
  readonly #reading = new Set<Promise<void>>();
  #completeSince: number;
  #compactedTo: number;
  #isRelieving = false;
  #closing: Promise<void> | undefined;

  constructor(options: SqliteJournalOptions, { thread, subjects, opened }: Parts) {
    const { clock, log, observer, bufferBytes = 8 * 1024 * 1024 } = options;
    this.#options = options;
    this.#thread = thread;
    this.#subjects = subjects;
    this.#completeSince = opened.completeSince;
    this.#compactedTo = opened.compactedTo;
    for (const [replica, epoch, sequence] of opened.writers)
      this.#highWater.set({ replica, epoch }, sequence);
    this.#rows = new UnwrittenRows(opened.lastRow);
    this.#commits = new GroupCommit({
      rows: this.#rows,
      subjects: this.#subjects,
      commit: (ask) => this.#thread.ask('commit', ask),
      onLost: () => this.#noteMissing(),
      clock,
      log,
      observer,
      bufferBytes,
    });
  }

  get backlog(): number {
    return this.#rows.entries;
  }

  get completeSince(): number {
    return this.#completeSince;
  }

  append(batch: Batch): Promise<void> {
    if (this.#closing) return Promise.reject(new Failure('unavailable', 'the journal is closed'));
    const { sequence, entries } = this.#highWater.take(batch);
    if (entries.length === 0) return this.#commits.settled();
    const row = this.#rows.rowFor(batch.writer, sequence);
    for (const { subject, at, count } of entries) row.add(this.#subjects.idOf(subject, at), at, count);
    this.#rows.added(entries.length);
    const position = `${row.id}:${row.count}`;
    const durable = this.#commits.gather();
    this.#followers.deliver(entries, position);
    if (this.#subjects.isCrowded) this.#relieve();
    return durable;
  }

  async follow(follower: Follower, { from, signal }: FollowOptions): Promise<void> {
    const [afterRow = 0, afterEntry = 0] = from?.split(':').map(Number) ?? [];
    if (from !== undefined && afterRow < this.#compactedTo) {
      throw new Failure(
        'not-found',
        'the journal is coarser than this position by now: follow from the start',
      );
    }
    const unwritten = [...this.#rows.all()];
    const upTo = this.#rows.last;
    const reader = new RowReader((subject, at) => this.#subjects.use(subject, at));
    const give = (id: number, bytes: Uint8Array) => {
      reader.read(bytes, id === afterRow ? afterEntry : 0, (entries, place) => {
        if (!signal.aborted) follower(entries, `${id}:${place}`);
      });
    };
    const reading = this.#followers.join(follower, signal, async () => {
      const readTo = await this.#readStored({ after: afterRow - 1, upTo }, give);
      for (const { id, bytes } of unwritten) if (id >= afterRow && id > readTo) give(id, bytes);
    });
    this.#reading.add(reading);
    await reading.finally(() => this.#reading.delete(reading));
    if (reader.broken > 0) this.#tellBroken(reader.broken);
    if (from === undefined) await this.#forget(this.#subjects.unused());
  }

  async compact(now: number): Promise<void> {
    const { observer, log } = this.#options;
    let lost = 0;
    for (let more = true; more && !this.#closing; ) {
      while (this.#reading.size > 0) await Promise.allSettled(this.#reading);
      const done = await this.#thread.ask('compact', { now, cut: this.#subjects.cut });
      more = done.more;
      lost += done.lost;
      this.#compactedTo = done.compactedTo;
      this.#completeSince = Math.max(this.#completeSince, done.completeSince);
      if (!more) {
        observer.size(done.bytes);
        // What is not in the file yet names subjects too.
        await this.#forget(this.#subjects.sweep(Math.min(done.oldest ?? now, this.#rows.oldest)));
      }
    }
    if (lost === 0) return;
    observer.lost(lost);
    log.warn({ entries: lost }, 'the journal is too large: its oldest entries were dropped (journalMaxSize)');
  }

  close(): Promise<void> {
    this.#closing ??= this.#commits.flush().then(() => this.#thread.close());
    return this.#closing;
  }

  /** Takes in the subjects that the file holds; before anything else. */
  async learnSubjects(): Promise<void> {
    const { intern = (subject) => subject } = this.#options;
    for (let after = 0; ; ) {
      const stored = await this.#thread.ask('subjects', { after, bytes: bytesPerRead });
      if (stored.length === 0) return;
      this.#subjects.learn(stored, intern);
      after = stored.at(-1)?.[0] ?? after;
    }
  }

  /** Gives every stored row in between, oldest first; answers the last one's id. */
  async #readStored(
    { after, upTo }: { after: number; upTo: number },
    give: (id: number, bytes: Uint8Array) => void,
  ): Promise<number> {
    for (let last = after; ; ) {
      const rows = await this.#thread.ask('read', { after: last, upTo, bytes: bytesPerRead });
      for (const { id, entries } of rows) {
        give(id, entries);
        // A start reads faster than the collector finds out.
        (entries.buffer as ArrayBuffer).transfer(0);
      }
      if (rows.length === 0) return last;
      last = rows.at(-1)?.id ?? last;
    }
  }

  /** A flood of subjects cannot wait for the next upkeep. */
  async #relieve(): Promise<void> {
    if (this.#isRelieving) return;
    this.#isRelieving = true;
    const { clock, log } = this.#options;
    try {
      await this.compact(clock.now());
    } catch (thrown) {
      log.warn({ reason: Failure.from(thrown).message }, 'the journal cannot forget subjects now');
    }
    this.#isRelieving = false;
  }

  async #forget(subjects: readonly number[]): Promise<void> {
    if (subjects.length > 0) await this.#thread.ask('forget', { subjects });
  }

  #tellBroken(entries: number): void {
    const { log, observer, path, clock } = this.#options;
    log.error({ path, entries }, 'entries of the journal made no sense and were left out');
    observer.lost(entries);
    this.#completeSince = clock.now();
    this.#noteMissing();
  }

  /** For the next start: this process knows more than the file. */
  #noteMissing(): void {
    this.#thread.ask('incomplete', { since: this.#options.clock.now() }).catch(() => {});
  }
}
