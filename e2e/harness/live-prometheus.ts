import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, freePort, GuardedProgram } from '#test/harness/guarded-program.ts';
import type { Prometheus } from '#test/harness/prometheus.ts';

const portTries = 5;

/** Starts a real Prometheus that scrapes `target` (`127.0.0.1:PORT`) every second. It ends as startPrometheus's does. */
export async function startLivePrometheus(target: string): Promise<Prometheus> {
  const program = await findProgram('prometheus');
  for (let attempt = 1; ; attempt++) {
    const folder = await mkdtemp(join(tmpdir(), 'e2e-prometheus-'));
    const configuration = join(folder, 'prometheus.yml');
    await writeFile(configuration, JSON.stringify(scraping(target)));
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
    const problem = await server.ready(() => scrapes(baseUrl, target));
    if (problem === undefined) return { baseUrl, stop: () => server.stop() };
    await server.stop();
    if (attempt === portTries || !problem.includes('address already in use')) throw new Error(problem);
  }
}

/** JSON is YAML too. Without labels of its own on a series, it reads as the exporter wrote it. */
function scraping(target: string): object {
  const relabel = { action: 'labeldrop', regex: 'job|instance' };
  const job = {
    job_name: 'values',
    static_configs: [{ targets: [target] }],
    metric_relabel_configs: [relabel],
  };
  return { global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs: [job] };
}

/** Another Prometheus may have taken the port first: only one with our target counts. */
async function scrapes(baseUrl: string, target: string): Promise<boolean> {
  const response = await fetch(`${baseUrl}/prometheus/api/v1/targets?state=active`);
  const { data } = (await response.json()) as {
    data: { activeTargets: { scrapeUrl: string; health: string }[] };
  };
  return data.activeTargets.some(({ scrapeUrl, health }) => scrapeUrl.includes(target) && health === 'up');
}
