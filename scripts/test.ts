// Runs ava with the given arguments and closes with one line that sums the run: `N passed, N failed`.
import { spawn } from 'node:child_process';

const ava = spawn(process.execPath, ['node_modules/.bin/ava', ...process.argv.slice(2)], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
});

let tail = '';
ava.stdout.on('data', (chunk: Buffer) => {
  process.stdout.write(chunk);
  tail = (tail + chunk.toString()).slice(-4_000);
});
ava.on('close', (code) => {
  const passed = counted(/(\d+) tests? passed/g);
  // Whatever else spoils a run (an uncaught exception, a file without tests, a time-out) counts as one failure.
  const failed = Math.max(counted(/(\d+) tests? failed/g), code === 0 ? 0 : 1);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
});

function counted(form: RegExp): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours stand between the words on a terminal
  const plain = tail.replace(/\u001B\[[0-9;]*m/g, '');
  return Number([...plain.matchAll(form)].at(-1)?.[1] ?? 0);
}
