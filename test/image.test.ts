import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import test from 'ava';

test('what the image holds, JavaScript without types, loads, starts and drains', async (t) => {
  const app = mkdtempSync(join(tmpdir(), 'image-'));
  t.teardown(() => rmSync(app, { recursive: true }));
  for (const part of ['package.json', 'proto']) cpSync(part, join(app, part), { recursive: true });
  symlinkSync(resolve('node_modules'), join(app, 'node_modules'));
  const strip = ['--disable-warning=ExperimentalWarning', 'scripts/strip-types.ts', 'src', join(app, 'src')];
  execFileSync(process.execPath, strip);

  // Those that are loaded only with a cluster too.
  const modules = globSync('src/**/*.js', { cwd: app }).filter((file) => !/\/(main|worker)\.js$/.test(file));
  t.true(modules.length > 100);
  for (const file of modules) await t.notThrowsAsync(import(pathToFileURL(join(app, file)).href), file);

  const scaler = spawn(process.execPath, ['src/main.js'], {
    cwd: app,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      GRPC_ADDRESS: '127.0.0.1:0',
      INGEST_ADDRESS: '127.0.0.1:0',
      OPERATIONS_ADDRESS: '127.0.0.1:0',
      JOURNAL: `sqlite:${join(app, 'journal.db')}`,
    },
  });
  t.teardown(() => scaler.kill('SIGKILL'));
  const ended = once(scaler, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface(scaler.stdout)) {
    lines.push(line);
    if (!line.includes('"listening"')) continue;
    t.is((await fetch(`http://${JSON.parse(line).operations}/readyz`)).status, 200);
    scaler.kill('SIGTERM');
  }
  t.deepEqual(await ended, [0, null], lines.join('\n'));
});
