import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram, freePort, GuardedProgram } from '#test/harness/guarded-program.ts';

/** A series to serve: `points` are `[epoch seconds, value]`, in any order. */
export interface RecordedSeries {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [number, number])[];
}

export interface Prometheus {
  /** `http://127.0.0.1:PORT`; its API is under `/prometheus/api/v1`, as Sysdig's is. */
  readonly baseUrl: string;
  stop(): Promise<void>;
}

const portTries = 5;

/**
 * Starts a real Prometheus that serves the given samples and scrapes nothing. It ends, and its data go, with `stop()`
 * or with this process, however that ends. An instant query looks back 5 minutes: stamp samples close to now.
 * Rejects with the way to get the programs where they are missing (scripts/install-parts.sh fetches them).
 */
export async function startPrometheus(
  data: { readonly openMetrics: string } | { readonly series: readonly RecordedSeries[] },
): Promise<Prometheus> {
  const promtool = await findProgram('promtool');
  const text = 'openMetrics' in data ? data.openMetrics : openMetricsOf(data.series);
  return runPrometheus((folder) => writeBlocks(promtool, folder, text));
}

/** The same with a folder that is prepared: `prometheus.yml`, and `data` if need be. */
export async function runPrometheus(prepare: (folder: string) => Promise<void>): Promise<Prometheus> {
  const program = await findProgram('prometheus');
  for (let attempt = 1; ; attempt++) {
    const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
    try {
      await prepare(folder);
      const port = await freePort();
      const baseUrl = `http://127.0.0.1:${port}`;
      const server = new GuardedProgram(program, optionsOf(folder, port), { folder });
      const problem = await server.ready(() => serves(baseUrl, folder));
      if (problem === undefined) return { baseUrl, stop: () => server.stop() };
      await server.stop();
      if (attempt === portTries || !problem.includes('address already in use')) throw new Error(problem);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }
}

/** OpenMetrics text of the series, as `promtool tsdb create-blocks-from openmetrics` reads it. */
export function openMetricsOf(series: readonly RecordedSeries[]): string {
  const lines = series.flatMap(({ name, labels = {}, points }) => {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`);
    const id = `${name}{${pairs.join(',')}}`;
    return [...points]
      .sort((a, b) => a[0] - b[0])
      .map(([at, value]) => `${id} ${numeral(value)} ${at.toFixed(3)}`);
  });
  return `${[...lines, '# EOF'].join('\n')}\n`;
}

function optionsOf(folder: string, port: number): string[] {
  return [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    '--storage.tsdb.retention.time=50y',
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.route-prefix=/prometheus',
    '--log.level=error',
  ];
}

/** Another Prometheus may have taken the port first: only the one with our folder counts. */
async function serves(baseUrl: string, folder: string): Promise<boolean> {
  const ready = await fetch(`${baseUrl}/prometheus/-/ready`);
  await ready.arrayBuffer();
  if (!ready.ok) return false;
  const flags = await fetch(`${baseUrl}/prometheus/api/v1/status/flags`);
  const { data } = (await flags.json()) as { data: Record<string, string> };
  return data['storage.tsdb.path']?.startsWith(folder) ?? false;
}

async function writeBlocks(promtool: string, folder: string, openMetrics: string): Promise<void> {
  const text = join(folder, 'samples.txt');
  await writeFile(join(folder, 'prometheus.yml'), '');
  await writeFile(text, openMetrics);
  const blocks = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', text, join(folder, 'data')];
  await promisify(execFile)(promtool, blocks);
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numeral(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
