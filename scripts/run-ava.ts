import { spawn } from 'node:child_process';

/**
 * Runs ava with these arguments and closes with one line that sums the run: `N passed, N failed`. Resolves to how many
 * failed: whatever else spoils a run (an uncaught exception, a file without tests, a time-out) counts as one.
 */
export function runAva(
  options: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  const ava = spawn(process.execPath, ['node_modules/.bin/ava', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0', ...environment },
  });
  let tail = '';
  ava.stdout.on('data', (chunk: Buffer) => {
    process.stdout.write(chunk);
    tail = (tail + chunk.toString()).slice(-4_000);
  });
  return new Promise((resolve) => {
    ava.on('close', (code) => {
      const passed = counted(tail, /(\d+) tests? passed/g);
      const failed = Math.max(counted(tail, /(\d+) tests? failed/g), code === 0 && passed > 0 ? 0 : 1);
      process.stdout.write(`${passed} passed, ${failed} failed\n`);
      resolve(failed);
    });
  });
}

function counted(text: string, form: RegExp): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours stand between the words on a terminal
  const plain = text.replace(/\u001B\[[0-9;]*m/g, '');
  return Number([...plain.matchAll(form)].at(-1)?.[1] ?? 0);
}
