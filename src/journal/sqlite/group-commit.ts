import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { JournalObserver } from '#src/journal/journal.ts';
import type { Requests } from '#src/journal/sqlite/messages.ts';
import type { SubjectIds } from '#src/journal/sqlite/subject-ids.ts';
import type { UnwrittenRows } from '#src/journal/sqlite/unwritten-rows.ts';
import type { Log } from '#src/log.ts';

export interface GroupCommitParts {
  readonly rows: UnwrittenRows;
  readonly subjects: SubjectIds;
  readonly commit: (ask: Requests['commit']['ask']) => Promise<null>;
  /** Rows had to be given up. */
  readonly onLost: () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: JournalObserver;
  /** What is kept in memory while the disk refuses, bytes. */
  readonly bufferBytes: number;
}

/** What is appended within it travels together: one wait for the disk instead of many. */
const gatherMs = 5;
/** While the disk refuses: each try hands the thread everything that waits, and must not become the load itself. */
const gatherFailingMs = 100;
const retryMs = 1_000;
/** A thread has little memory for texts: those of many new subjects go ahead of their rows, in parts. */
const charsAtATime = 1024 * 1024;

/** Writes rows in groups, one group on its way at a time; what has failed goes again with the next, or in a second. */
export class GroupCommit {
  readonly #parts: GroupCommitParts;
  #gathering: PromiseWithResolvers<void> | undefined;
  #flying: PromiseWithResolvers<void> | undefined;
  #rowsFlying = 0;
  #subjectsFlying = 0;
  #flyingSince = 0;
  #isDue = false;
  #failing = false;
  #stopRetry: (() => void) | undefined;

  constructor(parts: GroupCommitParts) {
    this.#parts = parts;
  }

  /** The fate of the group that what was added last belongs to. */
  gather(): Promise<void> {
    // What was just added may be among what is given up.
    if (this.#isStuck() && this.#shrink()) return refused();
    if (this.#gathering === undefined) {
      this.#gathering = quiet();
      this.#parts.clock.after(this.#failing ? gatherFailingMs : gatherMs, () => this.#due());
    }
    return this.#gathering.promise;
  }

  /** The fate of everything that was added so far. */
  settled(): Promise<void> {
    if (this.#failing) return this.gather();
    return (this.#gathering ?? this.#flying)?.promise ?? Promise.resolve();
  }

  /** Writes at once what is there; the last chance for what has failed. Never rejects. */
  async flush(): Promise<void> {
    this.#stopRetry?.();
    await this.#flying?.promise.catch(() => {});
    this.gather();
    this.#due();
    await this.#flying?.promise.catch(() => {});
    this.#stopRetry?.();
    const { rows, log, observer } = this.#parts;
    if (rows.entries === 0) return;
    observer.lost(rows.entries);
    log.error({ entries: rows.entries }, 'the journal ends without these entries: they could not be written');
  }

  #due(): void {
    if (this.#gathering === undefined) return;
    if (this.#flying === undefined) this.#send();
    else this.#isDue = true;
  }

  async #send(): Promise<void> {
    const { rows, subjects, commit, clock, observer } = this.#parts;
    const group = this.#gathering;
    if (group === undefined) return;
    this.#gathering = undefined;
    this.#isDue = false;
    const [toWrite, named] = [[...rows.all()], [...subjects.unwritten]];
    if (toWrite.length === 0) {
      // Nothing tells whether the disk would take it again.
      if (this.#failing) group.reject(refusal('it failed, and nothing has been written since'));
      else group.resolve();
      return;
    }
    const startedAt = clock.now();
    this.#flying = group;
    this.#rowsFlying = toWrite.length;
    this.#subjectsFlying = named.length;
    this.#flyingSince = startedAt;
    try {
      const parts = partsOf(named);
      const last = parts.pop() ?? [];
      for (const part of parts) await commit({ rows: [], subjects: part });
      await commit({ rows: toWrite, subjects: last });
      rows.remove(toWrite);
      subjects.wrote(named.length);
      observer.committed(
        toWrite.reduce((sum, { count }) => sum + count, 0),
        clock.now() - startedAt,
      );
      this.#recovered();
      group.resolve();
    } catch (thrown) {
      group.reject(this.#failed(Failure.from(thrown)));
    }
    this.#flying = undefined;
    this.#landed();
    if (this.#isDue) this.#due();
  }

  /** The disk refuses, or it hangs. */
  #isStuck(): boolean {
    const { clock } = this.#parts;
    return this.#failing || (this.#flying !== undefined && clock.now() - this.#flyingSince >= retryMs);
  }

  /** What waits for a disk must not fill the memory; what is on its way there may still arrive. */
  #shrink(): boolean {
    const { rows, subjects, bufferBytes, observer, onLost } = this.#parts;
    let lost = rows.shrink(bufferBytes, this.#rowsFlying);
    if (subjects.unwrittenChars > bufferBytes) {
      // Rows are of no use without their subjects.
      rows.all();
      lost += rows.shrink(0, this.#rowsFlying);
      subjects.dropUnwritten(this.#subjectsFlying);
    }
    if (lost === 0) return false;
    this.#gathering?.reject(refusal(tooMuch));
    observer.lost(lost);
    onLost();
    return true;
  }

  #recovered(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#parts.observer.durable(true);
    this.#parts.log.info({}, 'the journal can be written again');
  }

  #failed({ message }: Failure): Failure {
    const { clock, log, observer } = this.#parts;
    if (!this.#failing) {
      this.#failing = true;
      observer.durable(false);
      log.error({ reason: message }, 'the journal cannot be written: alerts count in memory until it can');
    }
    this.#landed();
    this.#shrink();
    this.#stopRetry?.();
    this.#stopRetry = clock.after(retryMs, () => {
      this.gather();
      this.#due();
    });
    return refusal(message);
  }

  #landed(): void {
    this.#rowsFlying = 0;
    this.#subjectsFlying = 0;
  }
}

const tooMuch = 'too much waits for it already';

function refused(): Promise<never> {
  const promise = Promise.reject(refusal(tooMuch));
  promise.catch(() => {});
  return promise;
}

function refusal(reason: string): Failure {
  return new Failure(
    'unavailable',
    `the journal cannot be written: ${reason}; make room on its disk or mend it, and send again`,
  );
}

function partsOf(subjects: readonly (readonly [number, string])[]): (readonly [number, string])[][] {
  const parts: (readonly [number, string])[][] = [[]];
  let chars = 0;
  for (const subject of subjects) {
    if (chars >= charsAtATime) {
      parts.push([]);
      chars = 0;
    }
    parts.at(-1)?.push(subject);
    chars += subject[1].length;
  }
  return parts;
}

/** Whoever does not ask for the fate must not end the process by it. */
function quiet(): PromiseWithResolvers<void> {
  const deferred = Promise.withResolvers<void>();
  deferred.promise.catch(() => {});
  return deferred;
}
