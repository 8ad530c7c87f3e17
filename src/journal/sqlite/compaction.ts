import type { DatabaseSync } from 'node:sqlite';
import { coarserSteps, Sums } from '#src/journal/coarsen.ts';
import { note, noted, sizeOf } from '#src/journal/sqlite/database.ts';
import type { Compacted, Requests } from '#src/journal/sqlite/messages.ts';
import { countEntries, type Row, RowBuilder, readEntries } from '#src/journal/sqlite/row.ts';

export interface Bounds {
  readonly retentionMs: number;
  readonly maxBytes: number;
}

/** As much as may be done at a time: commits wait for it. */
const entriesPerSlice = 50_000;
const rowsPerSlice = 500;
const pagesPerSlice = 2_000;
/** What 32 bits hold. */
const mostCount = 0xffff_ffff;
const nobody = { replica: '', epoch: 0 };

/** One slice of the upkeep: drops what is too old, makes what is old coarser, drops the oldest while all is too large. */
export function compact(
  database: DatabaseSync,
  { retentionMs, maxBytes }: Bounds,
  { now, cut }: Requests['compact']['ask'],
): Compacted {
  let lost = 0;
  database.exec('BEGIN IMMEDIATE');
  let more: boolean;
  try {
    const { changes } = database
      .prepare('DELETE FROM rows WHERE id IN (SELECT id FROM rows WHERE newest < ? LIMIT ?)')
      .run(now - retentionMs, rowsPerSlice);
    more = Number(changes) === rowsPerSlice;
    more ||= coarserSteps.some(({ ageMs, stepMs }) => coarsen(database, now - ageMs, stepMs));
    lost = drop(database, 'newest < ?', cut);
    if (!more && sizeOf(database) > maxBytes) {
      const rows = Number(database.prepare('SELECT count(*) AS count FROM rows').get()?.['count']);
      const aTwentieth = drop(
        database,
        'id IN (SELECT id FROM rows ORDER BY newest LIMIT ?)',
        Math.ceil(rows / 20),
      );
      lost += aTwentieth;
      more = aTwentieth > 0;
    }
    database.exec('COMMIT');
  } catch (thrown) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
  if (!more) more = giveBack(database);
  const oldest = database.prepare('SELECT min(oldest) AS oldest FROM rows').get()?.['oldest'];
  return {
    more,
    lost,
    completeSince: noted(database, 'completeSince'),
    compactedTo: noted(database, 'compactedTo'),
    oldest: typeof oldest === 'number' ? oldest : undefined,
    bytes: sizeOf(database),
  };
}

/** Gives a slice of the unused pages back to the disk. False if there is nothing more to give. */
function giveBack(database: DatabaseSync): boolean {
  const unused = () => Number(database.prepare('PRAGMA freelist_count').get()?.['freelist_count'] ?? 0);
  const before = unused();
  if (before === 0) return false;
  database.exec(`PRAGMA incremental_vacuum(${pagesPerSlice})`);
  const after = unused();
  return after > 0 && after < before;
}

/** Brings a slice of the rows that are wholly older than `until` to this step, as one row. False if there are none. */
function coarsen(database: DatabaseSync, until: number, stepMs: number): boolean {
  const candidates = database
    .prepare('SELECT id, count FROM rows WHERE step < ? AND newest < ? ORDER BY id')
    .iterate(stepMs, until);
  const ids: number[] = [];
  let entries = 0;
  for (const { id, count } of candidates) {
    ids.push(Number(id));
    entries += Number(count);
    if (entries >= entriesPerSlice) break;
  }
  const last = ids.at(-1);
  if (last === undefined) return false;

  const read = database.prepare('SELECT entries FROM rows WHERE id = ?');
  const sums = new Sums<number>(stepMs);
  for (const id of ids) {
    const bytes = read.get(id)?.['entries'] as Uint8Array;
    if (countEntries(bytes) !== undefined)
      readEntries(bytes, (subject, at, count) => sums.add(subject, at, count));
  }
  const builder = new RowBuilder({ id: last, writer: nobody, sequence: 0, stepMs });
  sums.each((subject, at, count) => {
    // A sum may be more than one entry holds.
    for (let rest = count; rest > 0; rest -= mostCount) builder.add(subject, at, Math.min(rest, mostCount));
  });
  const remove = database.prepare('DELETE FROM rows WHERE id = ?');
  for (const id of ids) remove.run(id);
  database.prepare(insertRow).run(...partsOf(builder.done()));
  // A position within this row is of no use any more either.
  note(database, 'compactedTo', last + 1);
  return true;
}

/** A statement that takes a row's parts in this order. */
export const insertRow = 'INSERT OR IGNORE INTO rows VALUES (?, ?, ?, ?, ?, ?)';

export function partsOf({ id, stepMs, count, oldest, newest, bytes }: Row) {
  return [id, stepMs, count, oldest, newest, bytes] as const;
}

/** Drops rows before their time: nothing is complete before what remains. Answers how many entries that were. */
function drop(database: DatabaseSync, which: string, bound: number): number {
  const found = database
    .prepare(`SELECT sum(count) AS count, max(newest) AS newest FROM rows WHERE ${which}`)
    .get(bound);
  if (typeof found?.['newest'] !== 'number') return 0;
  database.prepare(`DELETE FROM rows WHERE ${which}`).run(bound);
  note(database, 'completeSince', found['newest']);
  return Number(found['count']);
}
