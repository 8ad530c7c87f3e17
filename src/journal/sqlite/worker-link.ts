import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Failure } from '#src/failure.ts';
import type { Opened, OpenOptions, Reply, RequestName, Requests } from '#src/journal/sqlite/messages.ts';

interface Waiting {
  resolve(answer: unknown): void;
  reject(failure: Failure): void;
}

/** It holds little at a time; left alone, a thread lets as much garbage gather as the machine has room. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

/** The thread that owns the file, asked and answering by messages in order. */
export class WorkerLink {
  readonly opened: Promise<Opened>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #closed = false;
  #dead = false;

  /** `onDeath`: the thread has ended unasked; whatever waited has been rejected. */
  constructor(options: OpenOptions, onDeath: (reason: string) => void) {
    // Compiled or not, as this file is.
    const file = new URL(`worker${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(file, { workerData: options, resourceLimits });
    this.opened = new Promise((resolve, reject) => {
      this.#waiting.set(0, { resolve: resolve as (answer: unknown) => void, reject });
    });
    let reason = 'it ended';
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error: unknown) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    this.#worker.on('exit', () => {
      this.#dead = true;
      if (this.#closed) return;
      for (const { reject } of this.#waiting.values()) {
        reject(new Failure('unavailable', `the journal's thread has died: ${reason}`));
      }
      this.#waiting.clear();
      onDeath(reason);
    });
  }

  ask<N extends RequestName>(name: N, ask: Requests[N]['ask']): Promise<Requests[N]['answer']> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      if (this.#dead) {
        reject(new Failure('unavailable', "the journal's thread has died"));
        return;
      }
      this.#waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      this.#worker.postMessage({ id, name, ask });
    });
  }

  async close(): Promise<void> {
    try {
      await this.ask('close', null);
    } finally {
      await this.end();
    }
  }

  async end(): Promise<void> {
    this.#closed = true;
    await this.#worker.terminate();
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('answer' in reply) waiting?.resolve(reply.answer);
    else waiting?.reject(new Failure(reply.problem.code, reply.problem.message));
  }
}
