import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { systemClock } from '#src/clock.ts';
import type { Entry } from '#src/journal/entry.ts';
import { openJournal } from '#src/journal/open-journal.ts';
import { Recorder } from '#src/journal/recorder.ts';
import {
  openSqliteJournal,
  type SqliteJournal,
  type SqliteJournalOptions,
} from '#src/journal/sqlite/sqlite-journal.ts';
import { alertOf } from '#test/harness/alert-of.ts';
import { silentLog } from '#test/harness/silent-log.ts';
import { followed, testJournal } from '#test/journal/journal-contract.ts';
import { entry, start, writer } from '#test/journal/journal-entries.ts';
import { observed } from '#test/journal/observed.ts';

const paths = new WeakMap<object, string>();

function newPath(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'external-scaler-journal-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'data', 'journal.db');
}

async function openAt(
  t: ExecutionContext,
  path: string,
  options: Partial<SqliteJournalOptions> = {},
): Promise<SqliteJournal> {
  const journal = await openSqliteJournal({
    path,
    clock: systemClock,
    log: silentLog,
    observer: observed().observer,
    retentionMs: 24 * 3_600_000,
    maxBytes: 1e9,
    ...options,
  });
  paths.set(journal, path);
  t.teardown(() => journal.close());
  return journal;
}

testJournal({
  name: 'sqlite',
  open: (t, bounds) => openAt(t, newPath(t), bounds),
  async reopen(t, journal) {
    await journal.close();
    return openAt(t, paths.get(journal) ?? '');
  },
});

async function filled(t: ExecutionContext, path: string): Promise<void> {
  const journal = await openAt(t, path);
  const recorder = new Recorder(journal, writer);
  for (let batch = 0; batch < 50; batch++) {
    await recorder.record(
      Array.from({ length: 200 }, (_, index) => entry(`pod-${index}`, start + batch * 100)),
    );
  }
  await journal.close();
}

test('what was confirmed is there after kill -9, and nothing that was never appended', async (t) => {
  const path = newPath(t);
  const confirmed = new Set<number>();
  let appended = 0;
  for (let kill = 0; kill < 6; kill++) {
    const child = spawn(process.execPath, ['test/journal/appender.ts', `sqlite:${path}`, String(appended)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const numbers = readNumbers(child);
    await once(child.stdout ?? child, 'data');
    await pause(50 + Math.random() * 250);
    child.kill('SIGKILL');
    await once(child, 'close');
    for (const number of numbers()) confirmed.add(number);
    // Never used again, whatever it had in flight.
    appended = Math.max(...confirmed) + 1_000_000;
  }
  const { entries } = await followed(t, await openAt(t, path));
  const found = entries.map((entry) => Number(alertOf(entry).pod.slice('pod-'.length)));
  t.true(confirmed.size > 100);
  t.is(new Set(found).size, found.length, 'nothing is there twice');
  t.deepEqual(
    [...confirmed].filter((number) => !new Set(found).has(number)),
    [],
  );
});

function readNumbers(child: ChildProcess): () => number[] {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  // The last line may have been cut by the kill.
  return () => text.split('\n').slice(0, -1).map(Number);
}

const damages: [title: string, damage: (path: string) => void][] = [
  ['a text', (path) => writeFileSync(path, 'these are not the bytes you are looking for\n'.repeat(200))],
  ['cut in the middle', (path) => truncateSync(path, 50_000)],
  [
    'overwritten in its middle',
    (path) => {
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.alloc(30_000, 0x55), 0, 30_000, 20_000);
    },
  ],
];
for (const [title, damage] of damages) {
  test(`a file that is ${title} is moved aside, whole, and a new one begins`, async (t) => {
    const path = newPath(t);
    await filled(t, path);
    damage(path);
    const bytes = readFileSync(path);
    const lines: string[] = [];
    const { told, observer } = observed();
    const log = {
      ...silentLog,
      error: (fields: object, text: string) => lines.push(`${text} ${JSON.stringify(fields)}`),
    };
    const before = Date.now();
    const journal = await openAt(t, path, { observer, log });
    const aside = readdirSync(dirname(path)).filter((name) => /^journal\.db\.corrupt-[-\dTZ.]+$/.test(name));
    t.is(aside.length, 1);
    // SQLite counts openings in the first 100 bytes.
    const kept = readFileSync(join(dirname(path), aside[0] ?? ''));
    t.true(kept.subarray(100).equals(bytes.subarray(100)), 'as it was found');
    t.is(told.setAside, 1);
    t.regex(lines.join('\n'), /moved aside.*journal\.db.*corrupt-/);
    t.deepEqual((await followed(t, journal)).entries, []);
    await new Recorder(journal, writer).record([entry('a')]);
    t.true(journal.completeSince >= before, 'what went before is missing, and that is known');
    await journal.close();
    t.is((await openAt(t, path)).completeSince, journal.completeSince, 'also after the next start');
  });
}

test('an empty file is a new journal', async (t) => {
  const path = newPath(t);
  await (await openAt(t, path)).close();
  truncateSync(path, 0);
  t.is((await openAt(t, path)).completeSince, 0);
});

test('a file that another process holds is refused, with the reason', async (t) => {
  const path = newPath(t);
  await openAt(t, path);
  await t.throwsAsync(openAt(t, path), {
    message: /journal\.db: another process holds it; two scalers must not share one file/,
  });
});

test("somebody else's database and a later version's are refused and left alone", async (t) => {
  const path = newPath(t);
  await (await openAt(t, path)).close();
  const later = new DatabaseSync(path);
  later.exec('PRAGMA user_version = 99');
  later.close();
  await t.throwsAsync(openAt(t, path), { message: /written by a later version \(format 99/ });
  const other = join(dirname(path), 'other.db');
  const theirs = new DatabaseSync(other);
  theirs.exec('CREATE TABLE customers (name TEXT)');
  theirs.close();
  await t.throwsAsync(openAt(t, other), { message: /other\.db is a database of something else/ });
  t.deepEqual(
    readdirSync(dirname(path)).filter((name) => name.includes('corrupt')),
    [],
  );
});

test('a folder that cannot be made is told', async (t) => {
  const path = newPath(t);
  await (await openAt(t, path)).close();
  await t.throwsAsync(openAt(t, join(path, 'below-a-file', 'journal.db')), {
    message: /cannot make the folder/,
  });
});

test('a full disk: entries are handed on, senders are told, and what fits again is written', async (t) => {
  const path = newPath(t);
  const { told, observer } = observed();
  const journal = await openAt(t, path, { observer, maxPages: 40 });
  const { entries } = await followed(t, journal);
  const recorder = new Recorder(journal, writer);
  const failures: string[] = [];
  for (let batch = 0; failures.length < 2 && batch < 200; batch++) {
    const batchOf = Array.from({ length: 500 }, (_, index) => entry('pod', start + index * 100));
    await recorder.record(batchOf).catch((error: Error) => failures.push(error.message));
  }
  t.is(failures.length, 2);
  t.regex(failures[0] ?? '', /the journal cannot be written: .*full; make room/);
  t.deepEqual(told.durable, [false]);
  const appended = entries.length;
  t.is(journal.backlog, 1_000, 'what could not be written waits');
  // Makes room: all of it is two hours old by then, and alike.
  await journal.compact(start + 2 * 3_600_000);
  await recorder.record([entry('last')]);
  t.is(journal.backlog, 0);
  t.deepEqual(told.durable, [false, true]);
  await journal.close();
  const stored = (await followed(t, await openAt(t, path))).entries;
  t.is(total(stored), appended + 1);
});

test('what waits for a disk is bounded, and the loss is counted', async (t) => {
  const { told, observer } = observed();
  const journal = await openAt(t, newPath(t), { observer, maxPages: 10, bufferBytes: 16_000 });
  const recorder = new Recorder(journal, writer);
  for (let batch = 0; batch < 20; batch++) {
    const batchOf = Array.from({ length: 500 }, (_, index) => entry('pod', start + index * 100));
    await recorder.record(batchOf).catch(() => {});
  }
  t.true(told.lost > 0);
  t.true(journal.backlog <= 1_000);
});

test('subjects that nothing names any more leave the file', async (t) => {
  const path = newPath(t);
  const journal = await openAt(t, path, { retentionMs: 3_600_000 });
  const recorder = new Recorder(journal, writer);
  await recorder.record([entry('old', start), entry('other', start)]);
  await recorder.record([entry('new', start + 3_600_000)]);
  await journal.compact(start + 3_600_001);
  await journal.close();
  const database = new DatabaseSync(path);
  const bodies = database.prepare('SELECT body FROM subjects').all();
  database.close();
  t.is(bodies.length, 1);
  t.regex(String(bodies[0]?.['body']), /"new"/);
});

test('a row that makes no sense is left out, and is missing from then on', async (t) => {
  const path = newPath(t);
  const before = await openAt(t, path);
  const recorder = new Recorder(before, writer);
  for (const pod of ['a', 'b', 'c']) await recorder.record([entry(pod)]);
  await before.close();
  const database = new DatabaseSync(path);
  database.exec(`UPDATE rows SET entries = x'0102' WHERE id = 2`);
  database.close();
  const { told, observer } = observed();
  const journal = await openAt(t, path, { observer });
  const { entries } = await followed(t, journal);
  t.deepEqual(
    entries.map((entry) => alertOf(entry).pod),
    ['a', 'c'],
  );
  t.is(told.lost, 1);
  t.true(journal.completeSince > start);
});

test('a million entries come back, each once', async (t) => {
  const path = newPath(t);
  const before = await openAt(t, path);
  const recorder = new Recorder(before, writer);
  const subjects = Array.from({ length: 1_000 }, (_, index) => entry(`pod-${index}`).subject);
  for (let batch = 0; batch < 100; batch++) {
    await recorder.record(
      Array.from({ length: 10_000 }, (_, index) => ({
        subject: subjects[index % 1_000] as Entry['subject'],
        at: start + batch * 100,
        count: 1,
      })),
    );
  }
  await before.close();
  const { entries } = await followed(t, await openAt(t, path));
  t.is(entries.length, 1_000_000);
  t.is(new Set(entries.map(({ subject }) => subject)).size, 1_000, 'one object for one subject');
});

test('only memory and sqlite are addresses of a journal', async (t) => {
  const options = {
    clock: systemClock,
    log: silentLog,
    observer: observed().observer,
    retentionMs: 1,
    maxBytes: 1,
  };
  await t.throwsAsync(openJournal('redis://:s3cret@redis', options), {
    message: /^journal: redis:\/\/… is not part/,
  });
  await t.throwsAsync(openJournal('etcd://x', options), { message: /expected memory: or sqlite:PATH/ });
});

function total(entries: readonly Entry[]): number {
  return entries.reduce((sum, { count }) => sum + count, 0);
}
