import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { systemClock } from '#src/clock.ts';
import { Recorder } from '#src/journal/recorder.ts';
import { openSqliteJournal, type SqliteJournal } from '#src/journal/sqlite/sqlite-journal.ts';
import { alertOf } from '#test/harness/alert-of.ts';
import { silentLog } from '#test/harness/silent-log.ts';
import { followed } from '#test/journal/journal-contract.ts';
import { entry, start, writer } from '#test/journal/journal-entries.ts';
import { observed } from '#test/journal/observed.ts';

// Nothing but a test ends the thread from outside: it is caught where it is spoken to.
const { postMessage } = Worker.prototype;
let thread: Worker | undefined;
Worker.prototype.postMessage = function (this: Worker, ...message: Parameters<typeof postMessage>) {
  thread = this;
  return postMessage.apply(this, message);
};

test.serial('a thread that dies is replaced, and what it had not confirmed is written', async (t) => {
  const path = newPath(t);
  const { journal, told, errors } = await openAt(t, path);
  const recorder = new Recorder(journal, writer);
  await recorder.record([entry('a', start)]);
  recorder.record([entry('a', start + 1)]);
  await thread?.terminate();
  recorder.record([entry('b', start + 2)]);
  await written(journal);
  t.deepEqual(told.durable, [false, true]);
  t.regex(errors.join('\n'), /thread has died: another one begins/);
  t.deepEqual(await contents(t, journal), ['a', 'a', 'b']);
  await journal.close();
  t.deepEqual(await contents(t, (await openAt(t, path)).journal), ['a', 'a', 'b']);
});

test.serial(
  'a file that cannot be read when the thread is replaced is moved aside, and what follows is kept',
  async (t) => {
    const path = newPath(t);
    const { journal, told, errors } = await openAt(t, path);
    const recorder = new Recorder(journal, writer);
    await recorder.record([entry('a', start)]);
    await thread?.terminate();
    writeFileSync(path, 'no database at all\n'.repeat(1_000));
    // The new file has never heard of this subject.
    recorder.record([entry('a', start + 1)]);
    await written(journal);
    t.is(told.setAside, 1);
    t.regex(errors.join('\n'), /moved aside/);
    await journal.close();
    const { journal: reopened } = await openAt(t, path);
    t.deepEqual(await contents(t, reopened), ['a']);
    t.true(reopened.completeSince > 0, 'the next start knows that something is missing');
  },
);

test.serial('a file that a second process holds is refused until that ends, even by kill -9', async (t) => {
  const path = newPath(t);
  const child = spawn(process.execPath, ['test/journal/appender.ts', `sqlite:${path}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  await t.throwsAsync(openAt(t, path), { message: /another process holds it/ });
  child.kill('SIGKILL');
  await once(child, 'close');
  t.true((await contents(t, (await openAt(t, path)).journal)).length > 0);
});

async function openAt(t: ExecutionContext, path: string) {
  const { told, observer } = observed();
  const errors: string[] = [];
  const log = { ...silentLog, error: (_: object, text: string) => errors.push(text) };
  const options = { path, clock: systemClock, log, observer, retentionMs: 86_400_000, maxBytes: 1e9 };
  const journal = await openSqliteJournal(options);
  t.teardown(() => journal.close());
  return { journal, told, errors };
}

async function written(journal: SqliteJournal): Promise<void> {
  for (let tries = 0; journal.backlog > 0 && tries < 200; tries++) await pause(50);
}

async function contents(t: ExecutionContext, journal: SqliteJournal): Promise<string[]> {
  return (await followed(t, journal)).entries.map((entry) => alertOf(entry).pod);
}

function newPath(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'external-scaler-journal-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'journal.db');
}
