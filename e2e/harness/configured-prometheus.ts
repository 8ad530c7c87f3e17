import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Prometheus, runPrometheus } from '#test/harness/prometheus.ts';

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

/** Starts a real Prometheus that scrapes every second, and evaluates as often. */
export function startConfiguredPrometheus(
  targets: readonly Target[],
  alerting?: Alerting,
): Promise<Prometheus> {
  return runPrometheus(async (folder) => {
    // JSON is YAML too.
    await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(configurationFor(targets, alerting)));
    await writeFile(join(folder, 'rules.yml'), JSON.stringify({ groups: alerting?.groups ?? [] }));
  });
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
