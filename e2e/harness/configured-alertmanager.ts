import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, freePort, GuardedProgram } from '#test/harness/guarded-program.ts';

export interface RunningAlertmanager {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  stop(): Promise<void>;
}

/** Starts a real Alertmanager with this configuration; rejects with its own words where it does not take it. */
export async function startConfiguredAlertmanager(configuration: object): Promise<RunningAlertmanager> {
  const program = await findProgram('alertmanager', 'prometheus-alertmanager');
  const folder = await mkdtemp(join(tmpdir(), 'e2e-alertmanager-'));
  const file = join(folder, 'alertmanager.yml');
  // JSON is YAML too.
  await writeFile(file, JSON.stringify(configuration));
  const address = `127.0.0.1:${await freePort()}`;
  const options = [
    `--config.file=${file}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
    '--log.level=error',
  ];
  const server = new GuardedProgram(program, options, { folder });
  const problem = await server.ready(async () => (await fetch(`http://${address}/-/ready`)).ok);
  if (problem === undefined) return { address, stop: () => server.stop() };
  await server.stop();
  throw new Error(problem);
}
