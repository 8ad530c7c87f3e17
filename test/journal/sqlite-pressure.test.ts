import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { type ExecutionContext } from 'ava';
import { type Clock, systemClock } from '#src/clock.ts';
import type { Entry } from '#src/journal/entry.ts';
import { Recorder } from '#src/journal/recorder.ts';
import { floorTo, tickMs } from '#src/journal/resolution.ts';
import { openSqliteJournal, type SqliteJournalOptions } from '#src/journal/sqlite/sqlite-journal.ts';
import { alertOf } from '#test/harness/alert-of.ts';
import { silentLog } from '#test/harness/silent-log.ts';
import { followed } from '#test/journal/journal-contract.ts';
import { entry, start, subject, writer } from '#test/journal/journal-entries.ts';
import { observed } from '#test/journal/observed.ts';

const hourMs = 3_600_000;

test('a flood of subjects pushes the oldest out before their time, and what is left can be read', async (t) => {
  const path = newPath(t);
  const total = 20_000;
  // So young that no rows are made one, which would go only as a whole.
  const clock: Clock = { ...systemClock, now: () => start + total };
  const { journal, told } = await openAt(t, path, { mostSubjects: 1_000, clock });
  const recorder = new Recorder(journal, writer);
  for (let from = 0; from < total; from += 500) {
    await recorder.record(
      Array.from({ length: 500 }, (_, index) =>
        entry(`pod-${from + index}`, start + floorTo(tickMs, from + index)),
      ),
    );
  }
  await journal.compact(clock.now());
  await journal.close();
  const database = new DatabaseSync(path);
  const kept = Number(database.prepare('SELECT count(*) AS count FROM subjects').get()?.['count']);
  database.close();
  t.true(kept <= 1_000, `${kept} subjects`);
  const { journal: reopened } = await openAt(t, path);
  const { entries } = await followed(t, reopened);
  t.is(entries.length + told.lost, total);
  t.true(entries.length >= 500 && entries.map((entry) => alertOf(entry).pod).at(-1) === `pod-${total - 1}`);
});

test('upkeep spares the subjects of what is still on its way to the file', async (t) => {
  const path = newPath(t);
  const { journal } = await openAt(t, path, { retentionMs: hourMs });
  const recorder = new Recorder(journal, writer);
  await recorder.record([entry('a', start)]);
  // Everything that the file holds is too old by now; this names the same subject, and is late itself.
  const durable = recorder.record([entry('a', start + hourMs)]);
  await journal.compact(start + hourMs + 60_000);
  await durable;
  await journal.close();
  const { journal: reopened } = await openAt(t, path);
  t.deepEqual(
    (await followed(t, reopened)).entries.map(({ at }) => at),
    [start + hourMs],
  );
});

test('many long texts at once reach the file, though its thread has little memory', async (t) => {
  const path = newPath(t);
  const { journal, told } = await openAt(t, path);
  const recorder = new Recorder(journal, writer);
  const long = Array.from({ length: 400 }, (_, index): Entry => {
    return { subject: subject(`pod-${index}`, `${index}`.padEnd(200_000, 'é')), at: start, count: 1 };
  });
  await recorder.record(long);
  t.deepEqual(told.durable, []);
  await journal.close();
  const { entries } = await followed(t, (await openAt(t, path)).journal);
  t.is(entries.length, 400);
  t.is(entries.map((entry) => alertOf(entry).rule)[399], long.map((entry) => alertOf(entry).rule)[399]);
});

test('texts that wait for a full disk are bounded too, and whoever sent them is told', async (t) => {
  const path = newPath(t);
  const { journal, told } = await openAt(t, path, { maxPages: 20, bufferBytes: 1_000_000 });
  const recorder = new Recorder(journal, writer);
  let refused = 0;
  const total = 30;
  for (let index = 0; index < total; index++) {
    const one = { subject: subject(`pod-${index}`, `${index}`.padEnd(200_000, 'x')), at: start, count: 1 };
    await recorder.record([one]).catch(() => {
      refused += 1;
    });
  }
  t.is(refused, total);
  t.deepEqual(told.durable, [false]);
  t.true(told.lost >= total - 10);
  t.is(told.lost + journal.backlog, total);
});

test('the file shrinks when its content goes', async (t) => {
  const path = newPath(t);
  const { journal, told } = await openAt(t, path, { retentionMs: hourMs });
  const recorder = new Recorder(journal, writer);
  for (let batch = 0; batch < 100; batch++) {
    await recorder.record(
      Array.from({ length: 2_000 }, (_, index) => entry(`pod-${index % 100}`, start + batch * 100)),
    );
  }
  await journal.compact(start);
  const before = told.bytes;
  await journal.compact(start + 2 * hourMs);
  t.true(before > 3_000_000 && told.bytes < 200_000, `from ${before} to ${told.bytes} bytes`);
});

async function openAt(t: ExecutionContext, path: string, more: Partial<SqliteJournalOptions> = {}) {
  const { told, observer } = observed();
  const journal = await openSqliteJournal({
    path,
    clock: systemClock,
    log: silentLog,
    observer,
    retentionMs: 365 * 24 * hourMs * 10,
    maxBytes: 1e9,
    ...more,
  });
  t.teardown(() => journal.close());
  return { journal, told };
}

function newPath(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'external-scaler-journal-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'journal.db');
}
