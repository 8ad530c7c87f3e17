import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Clock } from '#src/clock.ts';
import { Failure, type FailureCode } from '#src/failure.ts';
import type { Log } from '#src/log.ts';

export interface WatchedFileOptions {
  readonly path: string;
  /** What the file holds, for messages: `the Sysdig token`. */
  readonly holds: string;
  /** What a missing file means to whoever asks for its text. */
  readonly absence: FailureCode;
  readonly clock: Clock;
  readonly log: Log;
}

const intervalMs = 5_000;

/**
 * A file's text, read again every 5 s. The contents are compared, as nothing else sees every kind of change: Kubernetes
 * swaps a symbolic link two levels up, and a copy may keep its times. Whoever opens it closes it; its timer never
 * keeps the process alive.
 */
export class WatchedFile {
  readonly #options: WatchedFileOptions;
  #text: string | undefined;
  #version = 0;
  #problem: string | undefined;
  #stopTimer: () => void = () => {};
  #closed = false;

  /** Reads at once, so that the version never jumps between the first question and its answer. Never throws. */
  constructor(options: WatchedFileOptions) {
    this.#options = options;
    try {
      this.#take(readFileSync(options.path, 'utf8'));
    } catch (error) {
      this.#problem = reason(error);
      options.log.warn({ file: options.path, problem: this.#problem }, `${options.holds} cannot be read yet`);
    }
    this.#schedule();
  }

  get path(): string {
    return this.#options.path;
  }

  /** Rises with each change of the text; 0 while there was none yet. */
  get version(): number {
    return this.#version;
  }

  /**
   * The text, without white space at its ends. A file that goes missing or empty later leaves the last text in use, as
   * tools that rewrite a file leave such moments. Throws a `Failure` that names the file when there was never any.
   */
  get text(): string {
    if (this.#text !== undefined) return this.#text;
    const { path, holds, absence } = this.#options;
    throw new Failure(
      absence,
      `${path}: expected ${holds}, got ${this.#problem}; write the file, it is read again within 5 s`,
    );
  }

  /** Reads now. True if the text has changed. Never rejects. */
  async look(): Promise<boolean> {
    const { path, holds, log } = this.#options;
    const before = this.#version;
    try {
      this.#take(await readFile(path, 'utf8'));
      if (this.#version !== before) log.info({ file: path }, `${holds} has changed`);
    } catch (error) {
      const problem = reason(error);
      if (problem !== this.#problem) log.warn({ file: path, problem }, `${holds} cannot be read`);
      this.#problem = problem;
    }
    return this.#version !== before;
  }

  close(): void {
    this.#closed = true;
    this.#stopTimer();
  }

  #take(contents: string): void {
    const text = contents.trim();
    if (text === '') throw new Error('an empty file');
    this.#problem = undefined;
    if (text === this.#text) return;
    this.#text = text;
    this.#version++;
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#stopTimer = this.#options.clock.after(intervalMs, () => {
      this.look().then(() => this.#schedule());
    });
  }
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'a file that this process may not read';
  return code ?? (error as Error).message;
}
