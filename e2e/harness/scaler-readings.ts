import { readFileSync } from 'node:fs';
import type { ScalerProcess } from '#test/harness/scaler-process.ts';

/** One of the scaler's own metrics, all its series summed; 0 where it has none yet. */
export async function readMetric({ operations }: ScalerProcess, name: string): Promise<number> {
  const text = await (await fetch(`${operations}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Whether all that was posted is on disk. */
export async function isJournalled({ operations }: ScalerProcess): Promise<boolean> {
  const { journal } = (await (await fetch(`${operations}/status`)).json()) as {
    journal: { backlog: number };
  };
  return journal.backlog === 0;
}

/** Resident memory of the process, bytes. */
export function residentBytes({ pid }: ScalerProcess): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
