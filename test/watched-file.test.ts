import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import { WatchedFile } from '#src/watched-file.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { silentLog } from '#test/harness/silent-log.ts';

test('gives the text without white space at its ends', async (t) => {
  const { path } = await folder(t);
  await writeFile(path, 'secret \r\n\n');
  const file = open(t, path);
  t.is(file.text, 'secret');
  t.is(file.version, 1);
});

test('reads again after a while, and the version rises only with the text', async (t) => {
  const { path } = await folder(t);
  await writeFile(path, 'one');
  const clock = new ManualClock();
  const file = open(t, path, { clock });
  await writeFile(path, 'one\n');
  t.false(await file.look());
  t.is(file.version, 1);
  await writeFile(path, 'two');
  t.is(file.text, 'one');
  await clock.advance(5_000);
  await until(() => file.version === 2);
  t.is(file.text, 'two');
});

test('sees the swapped link of a Kubernetes secret', async (t) => {
  const { root } = await folder(t);
  for (const [generation, token] of [
    ['first', 'one'],
    ['second', 'two'],
  ] as const) {
    await mkdir(join(root, generation));
    await writeFile(join(root, generation, 'token'), token);
  }
  await symlink('first', join(root, '..data'));
  await symlink(join('..data', 'token'), join(root, 'token'));
  const file = open(t, join(root, 'token'));
  t.is(file.text, 'one');
  await symlink('second', join(root, '..new'));
  await rename(join(root, '..new'), join(root, '..data'));
  t.true(await file.look());
  t.is(file.text, 'two');
});

test('a missing or empty file is a failure that names it, until it is written', async (t) => {
  const { path } = await folder(t);
  const file = open(t, path);
  const missing = t.throws(() => file.text, { instanceOf: Failure });
  t.is(missing.code, 'unauthenticated');
  t.is(
    missing.message,
    `${path}: expected a token, got no such file; write the file, it is read again within 5 s`,
  );
  t.is(file.version, 0);
  await writeFile(path, ' \n');
  t.false(await file.look());
  t.throws(() => file.text, { message: /got an empty file/ });
  await writeFile(path, 'now');
  t.true(await file.look());
  t.is(file.text, 'now');
  t.is(file.version, 1);
});

test('keeps the last text while the file is gone, and warns once', async (t) => {
  const { path } = await folder(t);
  await writeFile(path, 'one');
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => warnings.push(message) };
  const file = open(t, path, { log });
  await rm(path);
  t.false(await file.look());
  t.false(await file.look());
  t.is(file.text, 'one');
  t.deepEqual(warnings, ['a token cannot be read']);
});

test('does not read again once closed', async (t) => {
  const { path } = await folder(t);
  await writeFile(path, 'one');
  const clock = new ManualClock();
  const file = open(t, path, { clock });
  file.close();
  await writeFile(path, 'two');
  await clock.advance(60_000);
  t.is(file.version, 1);
});

async function folder(t: ExecutionContext): Promise<{ root: string; path: string }> {
  const root = await mkdtemp(join(tmpdir(), 'watched-'));
  t.teardown(() => rm(root, { recursive: true }));
  return { root, path: join(root, 'token') };
}

function open(
  t: ExecutionContext,
  path: string,
  { clock = new ManualClock(), log = silentLog }: { clock?: ManualClock; log?: Log } = {},
): WatchedFile {
  const file = new WatchedFile({ path, holds: 'a token', absence: 'unauthenticated', clock, log });
  t.teardown(() => file.close());
  return file;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
