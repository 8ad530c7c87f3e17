import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Keeps a process with all its threads on one core, so that server and load do not take turns. False where that cannot be done. */
export function pin(pid: number, core: number): boolean {
  if (availableParallelism() < 2) return false;
  return spawnSync('taskset', ['-acp', String(core), String(pid)]).status === 0;
}
