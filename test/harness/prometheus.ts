import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

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

const startTimeoutMs = 30_000;
const portTries = 5;

/**
 * Starts a real Prometheus that serves the given samples and scrapes nothing. It ends, and its data go, with `stop()`
 * or with this process, however that ends. An instant query looks back 5 minutes: stamp samples close to now.
 * Rejects with the way to get the programs where they are missing (scripts/install-prometheus.sh fetches them).
 */
export async function startPrometheus(
  data: { readonly openMetrics: string } | { readonly series: readonly RecordedSeries[] },
): Promise<Prometheus> {
  const programs = { prometheus: await find('prometheus'), promtool: await find('promtool') };
  const text = 'openMetrics' in data ? data.openMetrics : openMetricsOf(data.series);
  for (let attempt = 1; ; attempt++) {
    const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
    try {
      await writeBlocks(programs.promtool, folder, text);
      const server = new Server(programs.prometheus, folder, await freePort());
      const problem = await server.ready();
      if (problem === undefined) return server;
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

/**
 * Runs Prometheus under a shell that ends it as soon as this process closes the pipe, by `stop()` or by dying. In its
 * own process group, so that a Ctrl-C in the terminal leaves the order of the ending to its owner.
 */
const guardian = `
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
(cat <&3 >/dev/null; kill "$server") 2>/dev/null &
watch=$!
wait "$server"
status=$?
kill "$watch" 2>/dev/null
rm -rf "$FOLDER"
exit "$status"
`;

class Server implements Prometheus {
  readonly baseUrl: string;
  readonly #child: ChildProcess;
  readonly #folder: string;
  #said = '';
  #ended = false;
  readonly #exit: Promise<void>;

  constructor(program: string, folder: string, port: number) {
    this.baseUrl = `http://127.0.0.1:${port}`;
    this.#folder = folder;
    const options = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--storage.tsdb.retention.time=50y',
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.route-prefix=/prometheus',
      '--log.level=error',
    ];
    this.#child = spawn('sh', ['-c', guardian, 'sh', program, ...options], {
      detached: true,
      env: { ...process.env, FOLDER: folder },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#said = (this.#said + chunk).slice(-4000);
    });
    this.#exit = new Promise((resolve) => {
      this.#child.once('close', () => {
        this.#ended = true;
        resolve();
      });
    });
  }

  /** Undefined when it serves our folder; otherwise what went wrong. */
  async ready(): Promise<string | undefined> {
    for (const until = Date.now() + startTimeoutMs; Date.now() < until; await pause(25)) {
      if (this.#ended) return `prometheus ended at its start: ${this.#said.trim()}`;
      if (await this.#serves()) return undefined;
    }
    return `prometheus was not ready within ${startTimeoutMs / 1000} s: ${this.#said.trim()}`;
  }

  /** Another Prometheus may have taken the port first: only the one with our folder counts. */
  async #serves(): Promise<boolean> {
    try {
      const ready = await fetch(`${this.baseUrl}/prometheus/-/ready`);
      await ready.arrayBuffer();
      if (!ready.ok) return false;
      const flags = await fetch(`${this.baseUrl}/prometheus/api/v1/status/flags`);
      const { data } = (await flags.json()) as { data: Record<string, string> };
      return data['storage.tsdb.path']?.startsWith(this.#folder) ?? false;
    } catch {
      return false;
    }
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exit;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function writeBlocks(promtool: string, folder: string, openMetrics: string): Promise<void> {
  const text = join(folder, 'samples.txt');
  await writeFile(join(folder, 'prometheus.yml'), '');
  await writeFile(text, openMetrics);
  const blocks = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', text, join(folder, 'data')];
  await promisify(execFile)(promtool, blocks);
}

async function find(program: string): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    join(cache, 'external-scaler-sysdig', 'prometheus'),
  ];
  for (const folder of folders) {
    const path = join(folder, program);
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder && runs) return path;
  }
  throw new Error(
    `expected ${program} on PATH or in the cache, found neither: run scripts/install-prometheus.sh`,
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numeral(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
