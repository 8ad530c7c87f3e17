// The thread that owns the journal's file: the loop that answers KEDA never waits for a disk.
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { Failure } from '#src/failure.ts';
import { compact, insertRow, partsOf } from '#src/journal/sqlite/compaction.ts';
import { isUnreadable, note, openDatabase, reasonOf } from '#src/journal/sqlite/database.ts';
import type { OpenOptions, Problem, RequestName, Requests, StoredRow } from '#src/journal/sqlite/messages.ts';

type Handlers = { [N in RequestName]: (ask: Requests[N]['ask']) => Requests[N]['answer'] };

const options = workerData as OpenOptions;
const port = parentPort;
if (port === null) throw new Error('expected to run as a worker thread');
try {
  const { database, opened } = openDatabase(options);
  const handlers = handlersOf(database);
  port.on('message', ({ id, name, ask }: { id: number; name: RequestName; ask: never }) => {
    try {
      const answer: unknown = handlers[name](ask);
      // Moved, not copied: what this thread keeps it would keep for long.
      port.postMessage({ id, answer }, name === 'read' ? buffersOf(answer as StoredRow[]) : []);
    } catch (thrown) {
      port.postMessage({ id, problem: problemOf(thrown) });
      // Whoever opens it next finds out, and moves it aside.
      if (isUnreadable(thrown)) process.exit();
    }
  });
  port.postMessage({ id: 0, answer: opened });
} catch (thrown) {
  port.postMessage({ id: 0, problem: problemOf(thrown) });
}

function handlersOf(database: DatabaseSync): Handlers {
  const readRows = database.prepare('SELECT id, entries FROM rows WHERE id > ? AND id <= ? ORDER BY id');
  const readSubjects = database.prepare('SELECT id, body FROM subjects WHERE id > ? ORDER BY id');
  const addRow = database.prepare(insertRow);
  const addSubject = database.prepare('INSERT OR IGNORE INTO subjects VALUES (?, ?)');
  const addWriter = database.prepare(
    'INSERT INTO writers VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence)',
  );
  return {
    commit({ rows, subjects }) {
      transact(database, () => {
        for (const [id, body] of subjects) addSubject.run(id, body);
        for (const row of rows) {
          addRow.run(...partsOf(row));
          addWriter.run(row.writer.replica, row.writer.epoch, row.sequence + row.count - 1);
        }
      });
      return null;
    },
    read({ after, upTo, bytes }) {
      const rows: StoredRow[] = [];
      let size = 0;
      for (const { id, entries } of readRows.iterate(after, upTo)) {
        rows.push({ id: Number(id), entries: entries as Uint8Array });
        size += (entries as Uint8Array).byteLength;
        if (size >= bytes) break;
      }
      return rows;
    },
    subjects({ after, bytes }) {
      const subjects: [number, string][] = [];
      let size = 0;
      for (const { id, body } of readSubjects.iterate(after)) {
        subjects.push([Number(id), String(body)]);
        size += String(body).length;
        if (size >= bytes) break;
      }
      return subjects;
    },
    compact: (ask) => compact(database, options, ask),
    forget({ subjects }) {
      const remove = database.prepare('DELETE FROM subjects WHERE id = ?');
      transact(database, () => {
        for (const id of subjects) remove.run(id);
      });
      return null;
    },
    incomplete({ since }) {
      note(database, 'completeSince', since);
      return null;
    },
    close() {
      // The next start goes on counting rows here, also when all of them have been dropped.
      const last = Number(database.prepare('SELECT max(id) AS id FROM rows').get()?.['id'] ?? 0);
      note(database, 'lastRow', last);
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      database.close();
      return null;
    },
  };
}

function buffersOf(rows: readonly StoredRow[]): ArrayBuffer[] {
  return rows.map(({ entries }) => entries.buffer as ArrayBuffer);
}

function transact(database: DatabaseSync, run: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    run();
    database.exec('COMMIT');
  } catch (thrown) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
}

function problemOf(thrown: unknown): Problem {
  const invalid = thrown instanceof Failure && thrown.code === 'invalid';
  return { code: invalid ? 'invalid' : 'unavailable', message: reasonOf(thrown) };
}
