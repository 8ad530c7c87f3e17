import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, freePort, GuardedProgram } from '#test/harness/guarded-program.ts';
import type { Prometheus } from '#test/harness/prometheus.ts';

const portTries = 5;

/** Where to scrape, and what to write on every series from there. */
export interface Target {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Alerting {
  /** Groups of rules, as in a file of Prometheus's rules. */
  readonly groups: readonly object[];
  /** Of the Alertmanager, `127.0.0.1:PORT`. */
  readonly alertmanager: string;
}

/** Starts a real Prometheus that scrapes every second, and evaluates as often. It ends as startPrometheus's does. */
export async function startConfiguredPrometheus(
  targets: readonly Target[],
  alerting?: Alerting,
): Promise<Prometheus> {
  const program = await findProgram('prometheus');
  for (let attempt = 1; ; attempt++) {
    const folder = await mkdtemp(join(tmpdir(), 'e2e-prometheus-'));
    const configuration = join(folder, 'prometheus.yml');
    // JSON is YAML too.
    await writeFile(configuration, JSON.stringify(configurationFor(targets, alerting)));
    await writeFile(join(folder, 'rules.yml'), JSON.stringify({ groups: alerting?.groups ?? [] }));
    const port = await freePort();
    const options = [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.route-prefix=/prometheus',
      '--log.level=error',
    ];
    const baseUrl = `http://127.0.0.1:${port}`;
    const server = new GuardedProgram(program, options, { folder });
    const problem = await server.ready(() => isReady(baseUrl, folder));
    if (problem === undefined) return { baseUrl, stop: () => server.stop() };
    await server.stop();
    if (attempt === portTries || !problem.includes('address already in use')) throw new Error(problem);
  }
}

/** Without labels of Prometheus's own, a series reads as it was exposed, with what its target adds. */
function configurationFor(targets: readonly Target[], alerting: Alerting | undefined): object {
  const job = {
    job_name: 'targets',
    static_configs: targets.map(({ address, labels }) => ({ targets: [address], labels })),
    metric_relabel_configs: [{ action: 'labeldrop', regex: 'job|instance' }],
  };
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    scrape_configs: [job],
    rule_files: ['rules.yml'],
    ...(alerting && {
      alerting: { alertmanagers: [{ static_configs: [{ targets: [alerting.alertmanager] }] }] },
    }),
  };
}

/** Another Prometheus may have taken the port first: only the one with our folder counts. */
async function isReady(baseUrl: string, folder: string): Promise<boolean> {
  const ready = await fetch(`${baseUrl}/prometheus/-/ready`);
  await ready.arrayBuffer();
  if (!ready.ok) return false;
  const flags = await fetch(`${baseUrl}/prometheus/api/v1/status/flags`);
  const { data } = (await flags.json()) as { data: Record<string, string> };
  return data['storage.tsdb.path']?.startsWith(folder) ?? false;
}
