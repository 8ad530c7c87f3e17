import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GuardedProgram } from '#test/harness/guarded-program.ts';

/** The folder with the programs, built if they are not there yet. Rejects with what is missing. */
export async function builtPrograms(): Promise<string> {
  const building = promisify(execFile)('e2e/build-programs.sh', { maxBuffer: 10_000_000 });
  building.child.stderr?.pipe(process.stderr);
  return (await building).stdout.trim();
}

export interface Run {
  /** Of the programs. */
  readonly programs: string;
  /** Of this run: certificates, data, logs. */
  readonly folder: string;
  /** Of KEDA's operator, beyond its defaults. */
  readonly operatorOptions?: readonly string[];
}

/** One try to bring it all up. */
export interface Attempt extends Run {
  readonly logs: string;
  /** What is to be ended, last first. */
  readonly started: GuardedProgram[];
}

export interface Start {
  readonly name: string;
  readonly options: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly serves: () => Promise<boolean>;
}

/** Starts one of the programs, with its log in `NAME.log`. Rejects when it does not come to serve. */
export async function start(
  { programs, logs, started }: Attempt,
  { name, options, environment, serves }: Start,
): Promise<void> {
  const program = new GuardedProgram(join(programs, name), options, {
    folder: '',
    logFile: join(logs, `${name}.log`),
    ...(environment && { environment }),
  });
  started.push(program);
  const problem = await program.ready(serves);
  if (problem !== undefined) throw new Error(`${name}: ${problem}`);
}

/** Whether something answers 200 there. */
export async function answers(url: string): Promise<boolean> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.ok;
}
