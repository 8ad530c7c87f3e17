import { type ChildProcess, spawn } from 'node:child_process';

/** The scaler as users run it: its own process. */
export interface ScalerProcess {
  /** `127.0.0.1:PORT` */
  readonly grpc: string;
  /** `http://127.0.0.1:PORT` */
  readonly operations: string;
  /** `http://127.0.0.1:PORT` */
  readonly ingest: string;
  readonly pid: number;
  /** Every line it has logged so far. */
  readonly lines: readonly string[];
  /** SIGTERM; resolves to the exit code once it has drained. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

export interface Exit {
  readonly code: number | null;
  readonly output: string;
}

/** Free ports, and a journal that no other process holds. */
const onItsOwn = {
  GRPC_ADDRESS: '127.0.0.1:0',
  OPERATIONS_ADDRESS: '127.0.0.1:0',
  INGEST_ADDRESS: '127.0.0.1:0',
  JOURNAL: 'memory:',
};
interface Listening {
  readonly grpc: string;
  readonly operations: string;
  readonly ingest: string;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
const flags = ['--single-threaded-gc', '--max-semi-space-size=2'];

/** Starts the scaler on free ports with these settings; it tells where it listens at LOG_LEVEL info. Rejects with what it said if it ends before it listens. */
export function startScaler(environment: Readonly<Record<string, string>>): Promise<ScalerProcess> {
  return startAsGiven({ ...onItsOwn, ...environment });
}

/** The same with nothing but these settings: on the ports that they say. */
export function startAsGiven(environment: Readonly<Record<string, string>>): Promise<ScalerProcess> {
  const child = launch(environment);
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    const ended = exitOf(child, lines);
    ended.then(({ code, output }) => reject(new Error(`the scaler ended with ${code}: ${output}`)), reject);
    onLines(child, (line) => {
      lines.push(line);
      const listening = parseListening(line);
      if (listening === undefined) return;
      resolve({
        grpc: listening.grpc,
        operations: `http://${listening.operations}`,
        ingest: `http://${listening.ingest}`,
        pid: child.pid ?? 0,
        lines,
        stop() {
          child.kill('SIGTERM');
          return ended.then(({ code }) => code);
        },
        async kill() {
          child.kill('SIGKILL');
          await ended;
        },
      });
    });
  });
}

/** Runs the scaler to its end, with settings that it should not start with, or with a SIGTERM at the line that has a text. */
export function runToExit(environment: Readonly<Record<string, string>>, termAt?: string): Promise<Exit> {
  const child = launch({ ...onItsOwn, ...environment });
  const lines: string[] = [];
  onLines(child, (line) => {
    lines.push(line);
    if (termAt !== undefined && line.includes(termAt)) child.kill('SIGTERM');
  });
  return exitOf(child, lines);
}

function launch(environment: Readonly<Record<string, string>>): ChildProcess {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env;
  const child = spawn(process.execPath, [...flags, 'src/main.ts'], {
    env: { PATH, HOME, NODE_COMPILE_CACHE, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

function onLines(child: ChildProcess, tell: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) tell(line);
    });
  }
}

function exitOf(child: ChildProcess, lines: readonly string[]): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output: lines.join('\n') }));
  });
}

function parseListening(line: string): Listening | undefined {
  if (!line.includes('"msg":"listening"')) return undefined;
  return JSON.parse(line) as Listening;
}
