import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, freePort, GuardedProgram } from '#test/harness/guarded-program.ts';

export interface Alertmanager {
  /** What Prometheus would send: an alert by its labels, firing until it `endsAt`. */
  raise(labels: Readonly<Record<string, string>>, times: { startsAt: Date; endsAt?: Date }): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a real Alertmanager that notifies the given address at once, and again every few seconds while an alert fires. */
export async function startAlertmanager(webhook: { url: string; token: string }): Promise<Alertmanager> {
  const program = await findProgram('alertmanager', 'prometheus-alertmanager');
  const folder = await mkdtemp(join(tmpdir(), 'alertmanager-'));
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  await writeFile(join(folder, 'alertmanager.yml'), configurationFor(webhook));
  const server = new GuardedProgram(
    program,
    [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
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

function configurationFor({ url, token }: { url: string; token: string }): string {
  return `
route:
  receiver: scaler
  group_by: ['...']
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1s
receivers:
  - name: scaler
    webhook_configs:
      - url: ${url}
        http_config:
          authorization: { credentials: ${token} }
`;
}
