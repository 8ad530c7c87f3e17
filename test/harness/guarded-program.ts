import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { access, constants, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const startTimeoutMs = 30_000;

/**
 * Runs a program under a shell that ends it as soon as this process closes the pipe, by `stop()` or by dying, with SIGKILL
 * where it takes longer than 8 s, and then removes its folder. In its own process group, so that a Ctrl-C in the terminal leaves the order of the ending to its
 * owner.
 */
const guardian = `
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
(cat <&3; kill "$server"; sleep 8; kill -9 "$server") >/dev/null 2>&1 &
watch=$!
wait "$server"
status=$?
kill "$watch" 2>/dev/null
rm -rf "$FOLDER"
exit "$status"
`;

export interface GuardedOptions {
  /** Removed in the end. */
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Where all that it says is kept. */
  readonly logFile?: string;
}

export class GuardedProgram {
  readonly #child: ChildProcess;
  readonly #folder: string;
  #said = '';
  #ended = false;
  readonly #exit: Promise<void>;

  constructor(program: string, options: readonly string[], { folder, environment, logFile }: GuardedOptions) {
    this.#folder = folder;
    this.#child = spawn('sh', ['-c', guardian, 'sh', program, ...options], {
      detached: true,
      env: { ...process.env, ...environment, FOLDER: folder },
      stdio: ['pipe', logFile === undefined ? 'ignore' : 'pipe', 'pipe'],
    });
    const log = logFile === undefined ? undefined : createWriteStream(logFile);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        log?.write(chunk);
        this.#said = (this.#said + chunk).slice(-4000);
      });
    }
    this.#exit = new Promise((resolve) => {
      this.#child.once('close', () => {
        this.#ended = true;
        resolve();
      });
    });
  }

  /** Undefined once `serves` answers true; otherwise what went wrong. What `serves` throws means not yet. */
  async ready(serves: () => Promise<boolean>): Promise<string | undefined> {
    for (const until = Date.now() + startTimeoutMs; Date.now() < until; await pause(25)) {
      if (this.#ended) return `the program ended at its start: ${this.#said.trim()}`;
      if (await serves().catch(() => false)) return undefined;
    }
    return `the program was not ready within ${startTimeoutMs / 1000} s: ${this.#said.trim()}`;
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exit;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The first of these names that is on PATH or in the cache. Rejects with the way to get it. */
export async function findProgram(...names: readonly string[]): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    join(cache, 'external-scaler-sysdig', 'prometheus'),
  ];
  for (const path of folders.filter(Boolean).flatMap((folder) => names.map((name) => join(folder, name)))) {
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  throw new Error(
    `expected ${names.join(' or ')} on PATH or in the cache, found neither: run scripts/install-parts.sh`,
  );
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
