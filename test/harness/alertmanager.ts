import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, freePort, GuardedProgram } from '#test/harness/guarded-program.ts';

export interface Alertmanager {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** What Prometheus would send: an alert by its labels, firing until it `endsAt`. */
  raise(labels: Readonly<Record<string, string>>, times: { startsAt: Date; endsAt?: Date }): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a real Alertmanager with this configuration; rejects with its own words where it does not take it. */
export async function startAlertmanager(configuration: object): Promise<Alertmanager> {
  const program = await findProgram('alertmanager', 'prometheus-alertmanager');
  const folder = await mkdtemp(join(tmpdir(), 'alertmanager-'));
  const address = `127.0.0.1:${await freePort()}`;
  const baseUrl = `http://${address}`;
  // JSON is YAML too.
  await writeFile(join(folder, 'alertmanager.yml'), JSON.stringify(configuration));
  const server = new GuardedProgram(
    program,
    [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ],
    { folder },
  );
  const problem = await server.ready(async () => (await fetch(`${baseUrl}/-/ready`)).ok);
  if (problem !== undefined) {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
    throw new Error(problem);
  }
  return {
    address,
    async raise(labels, { startsAt, endsAt }) {
      const alert = { labels, startsAt: startsAt.toISOString(), endsAt: endsAt?.toISOString() };
      const response = await fetch(`${baseUrl}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify([alert]),
      });
      if (!response.ok) throw new Error(`Alertmanager answered ${response.status}: ${await response.text()}`);
    },
    stop: () => server.stop(),
  };
}

/** Tells the given address at once, and again every few seconds while an alert fires. */
export function telling({ url, token: credentials }: { url: string; token: string }): object {
  const group = { group_by: ['...'], group_wait: '0s', group_interval: '1s', repeat_interval: '1s' };
  const webhook = { url, http_config: { authorization: { credentials } } };
  return {
    route: { receiver: 'scaler', ...group },
    receivers: [{ name: 'scaler', webhook_configs: [webhook] }],
  };
}
