import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '#src/failure.ts';
import type { Opened, OpenOptions } from '#src/journal/sqlite/messages.ts';

/** SQLite's result codes: https://www.sqlite.org/rescode.html */
const busy = 5;
const corrupt = 11;
const notADatabase = 26;

/** "ESYS": how we know our own file. */
const applicationId = 0x45535953;
const version = 1;

const schema = `
CREATE TABLE subjects (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE rows (
  id INTEGER PRIMARY KEY,
  step INTEGER NOT NULL,
  count INTEGER NOT NULL,
  oldest REAL NOT NULL,
  newest REAL NOT NULL,
  entries BLOB NOT NULL
) STRICT;
CREATE TABLE writers (
  replica TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (replica, epoch)
) STRICT;
CREATE TABLE notes (name TEXT PRIMARY KEY, value REAL NOT NULL) STRICT;
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${version};
`;

/**
 * Opens the file, or makes it with its folder. One that is torn or no database is moved aside and a new one begun, which
 * then notes since when it is complete. Throws `unavailable` for a file that another process holds or that cannot be
 * written, `invalid` for a database that is not ours or is of a later version.
 */
export function openDatabase(options: OpenOptions): { database: DatabaseSync; opened: Opened } {
  const { path, now } = options;
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw new Failure('unavailable', `journal: cannot make the folder of ${path}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  try {
    const database = connect(options);
    return { database, opened: describe(database, undefined) };
  } catch (thrown) {
    if (!isUnreadable(thrown)) throw inWords(thrown, path);
    const setAside = { to: moveAside(path, now), reason: reasonOf(thrown) };
    const database = connect(options);
    note(database, 'completeSince', now);
    return { database, opened: describe(database, setAside) };
  }
}

export function note(database: DatabaseSync, name: string, value: number): void {
  database
    .prepare('INSERT INTO notes VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)')
    .run(name, value);
}

export function noted(database: DatabaseSync, name: string): number {
  return Number(database.prepare('SELECT value FROM notes WHERE name = ?').get(name)?.['value'] ?? 0);
}

/** Bytes of the pages that are in use. */
export function sizeOf(database: DatabaseSync): number {
  const value = (pragma: string) =>
    Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] ?? 0);
  return (value('page_count') - value('freelist_count')) * value('page_size');
}

export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The connection that holds the file for itself; SQLite gives the lock back however the process ends. */
function connect({ path, maxPages }: OpenOptions): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA auto_vacuum = INCREMENTAL;');
    const known = Number(database.prepare('PRAGMA application_id').get()?.['application_id']);
    const tables = Number(database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']);
    if (known !== applicationId && tables > 0) {
      throw new Failure('invalid', `journal: ${path} is a database of something else; name another file`);
    }
    const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    if (known === applicationId && found > version) {
      throw new Failure(
        'invalid',
        `journal: ${path} was written by a later version (format ${found}, this one knows ${version}); use that version, or name another file`,
      );
    }
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${maxPages}`);
    // Takes the lock now, and not with the first alert.
    database.exec('BEGIN IMMEDIATE');
    if (tables === 0) database.exec(schema);
    database.exec('COMMIT');
    const check = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
    if (check !== 'ok') throw new Unreadable(String(check));
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

class Unreadable extends Error {}

/** The file itself is broken, and not only the disk or the moment. */
export function isUnreadable(thrown: unknown): boolean {
  if (thrown instanceof Unreadable) return true;
  const code = codeOf(thrown);
  return code === corrupt || code === notADatabase;
}

function codeOf(thrown: unknown): number | undefined {
  const { errcode } = thrown as { errcode?: number };
  return errcode === undefined ? undefined : errcode & 0xff;
}

function inWords(thrown: unknown, path: string): Failure {
  if (thrown instanceof Failure) return thrown;
  const reason =
    codeOf(thrown) === busy
      ? 'another process holds it; two scalers must not share one file: stop the other, or give this one a file of its own'
      : `${reasonOf(thrown)}; check that the folder exists and may be written`;
  return new Failure('unavailable', `journal: cannot open ${path}: ${reason}`, { cause: thrown });
}

function moveAside(path: string, now: number): string {
  const to = `${path}.corrupt-${new Date(now).toISOString().replaceAll(':', '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, to + suffix);
  }
  return to;
}

function describe(database: DatabaseSync, setAside: Opened['setAside']): Opened {
  const writers = database.prepare('SELECT replica, epoch, sequence FROM writers').all();
  return {
    writers: writers.map(
      ({ replica, epoch, sequence }) => [String(replica), Number(epoch), Number(sequence)] as const,
    ),
    lastRow: Math.max(
      Number(database.prepare('SELECT max(id) AS id FROM rows').get()?.['id'] ?? 0),
      noted(database, 'lastRow'),
    ),
    completeSince: noted(database, 'completeSince'),
    compactedTo: noted(database, 'compactedTo'),
    bytes: sizeOf(database),
    setAside,
  };
}
