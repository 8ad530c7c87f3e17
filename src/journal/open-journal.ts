import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { Subject } from '#src/journal/entry.ts';
import type { Journal, JournalObserver } from '#src/journal/journal.ts';
import { MemoryJournal } from '#src/journal/memory-journal.ts';
import { openSqliteJournal } from '#src/journal/sqlite/sqlite-journal.ts';
import type { Log } from '#src/log.ts';

export interface JournalOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: JournalObserver;
  /** Gives the one object for equal subjects. */
  readonly intern?: (subject: Subject) => Subject;
  /** How long entries are kept. */
  readonly retentionMs: number;
  /** How large it may grow. */
  readonly maxBytes: number;
}

/** `memory:` or `sqlite:PATH`. Throws `invalid` for anything else, and what opening a file throws. */
export async function openJournal(url: string, options: JournalOptions): Promise<Journal> {
  if (url === 'memory:') return new MemoryJournal(options);
  if (url.startsWith('sqlite:')) return openSqliteJournal({ ...options, path: url.slice('sqlite:'.length) });
  const scheme = url.slice(0, url.indexOf(':') + 1);
  throw new Failure(
    'invalid',
    /^rediss?:$/.test(scheme)
      ? `journal: ${scheme}//… is not part of this version yet; use sqlite:PATH or memory:`
      : 'journal: expected memory: or sqlite:PATH, got another scheme',
  );
}
