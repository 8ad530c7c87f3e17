import { spawn } from 'node:child_process';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Runs ava with these arguments. Whatever else spoils a run (an uncaught exception, a file without tests, a time-out)
 * counts as one that failed.
 */
export function runAva(
  options: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Counts> {
  const ava = spawn(process.execPath, ['node_modules/.bin/ava', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0', ...environment },
  });
  let ticks = 0;
  let tail = '';
  ava.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    ticks += text.split('✔').length - 1;
    tail = (tail + text).slice(-4_000);
  });
  return new Promise((resolve) => {
    ava.on('close', (code) => {
      // ava says how many passed only if none failed.
      const passed = counted(tail, /(\d+) tests? passed/g) || ticks;
      const failed = Math.max(counted(tail, /(\d+) tests? failed/g), code === 0 && passed > 0 ? 0 : 1);
      resolve({ passed, failed });
    });
  });
}

/** The line that a test run closes with. */
export function closing({ passed, failed }: Counts): string {
  return `${passed} passed, ${failed} failed`;
}

function counted(text: string, form: RegExp): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours stand between the words on a terminal
  const plain = text.replace(/\u001B\[[0-9;]*m/g, '');
  return Number([...plain.matchAll(form)].at(-1)?.[1] ?? 0);
}
