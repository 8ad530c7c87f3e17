import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import {
  checkTlsMaterial,
  readTlsFiles,
  sameMaterial,
  type TlsFiles,
  type TlsMaterial,
} from '#src/tls/tls-files.ts';

export interface TlsWatchOptions {
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: (material: TlsMaterial) => void;
}

const intervalMs = 10_000;

/**
 * Follows TLS files as they change. The contents are read and compared, as nothing else sees every kind of change:
 * Kubernetes swaps a symbolic link two levels up, editors replace files, and a copy may keep its times.
 *
 * grpc-js has a file watcher of its own (experimental), which drops all new connections while a file is missing or
 * half written; here the last good files stay in use, and a warning says so once.
 */
export class TlsWatch {
  readonly #options: TlsWatchOptions;
  #used: TlsMaterial | undefined;
  #lastProblem: string | undefined;
  #warned: string | undefined;
  #stopTimer: (() => void) | undefined;
  #closed = false;

  constructor(options: TlsWatchOptions) {
    this.#options = options;
  }

  /** The files as they are at the start; throws `invalid` naming the one that is wrong. From here on they are watched. */
  async start(): Promise<TlsMaterial> {
    const { files } = this.#options;
    const material = await readTlsFiles(files);
    checkTlsMaterial(material, files);
    this.#used = material;
    this.#schedule();
    return material;
  }

  /** Looks now, as the timer does every 10 s. Never rejects. */
  async look(): Promise<void> {
    const { files, log, onChange } = this.#options;
    try {
      const material = await readTlsFiles(files);
      if (this.#closed) return;
      if (this.#used === undefined || !sameMaterial(material, this.#used)) {
        checkTlsMaterial(material, files);
        onChange(material);
        this.#used = material;
        log.info({ certFile: files.certFile }, 'TLS files have changed: new connections use them');
      }
      this.#lastProblem = undefined;
      this.#warned = undefined;
    } catch (thrown) {
      this.#warn(Failure.from(thrown).message);
    }
  }

  close(): void {
    this.#closed = true;
    this.#stopTimer?.();
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#stopTimer = this.#options.clock.after(intervalMs, () => {
      this.look().then(() => this.#schedule());
    });
  }

  /** Only at the second sight: the first may have fallen between the change of one file and of the next. */
  #warn(problem: string): void {
    if (problem === this.#lastProblem && problem !== this.#warned) {
      this.#warned = problem;
      this.#options.log.warn(
        { problem },
        'TLS files have changed and cannot be used: the earlier ones stay in use',
      );
    }
    this.#lastProblem = problem;
  }
}
