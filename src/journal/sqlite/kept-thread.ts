import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { JournalObserver } from '#src/journal/journal.ts';
import type { Opened, RequestName, Requests } from '#src/journal/sqlite/messages.ts';
import { WorkerLink } from '#src/journal/sqlite/worker-link.ts';
import type { Log } from '#src/log.ts';

export interface KeptThreadOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: JournalObserver;
  readonly retentionMs: number;
  readonly maxBytes: number;
  readonly maxPages?: number | undefined;
}

const reviveMs = 1_000;

/** The thread that owns the file. Another one begins when it dies; until then whatever is asked is `unavailable`. */
export class KeptThread {
  readonly #options: KeptThreadOptions;
  readonly #onNewFile: () => void;
  #link: WorkerLink | undefined;
  #closed = false;
  #cannotOpen = false;

  /** `onNewFile`: what the file held is not there any more, before the first request that the new one gets. */
  constructor(options: KeptThreadOptions, onNewFile: () => void) {
    this.#options = options;
    this.#onNewFile = onNewFile;
  }

  /** Rejects as opening the file does, having ended the thread. */
  async open(): Promise<Opened> {
    const { path, clock, retentionMs, maxBytes, maxPages } = this.#options;
    const link = new WorkerLink({ path, now: clock.now(), retentionMs, maxBytes, maxPages }, (reason) => {
      if (this.#link === link) this.#revive(reason);
    });
    try {
      const opened = await link.opened;
      if (this.#closed) throw new Failure('unavailable', 'the journal is closed');
      this.#tell(opened);
      this.#link = link;
      return opened;
    } catch (thrown) {
      await link.end();
      throw thrown;
    }
  }

  ask<N extends RequestName>(name: N, ask: Requests[N]['ask']): Promise<Requests[N]['answer']> {
    if (this.#link !== undefined) return this.#link.ask(name, ask);
    return Promise.reject(new Failure('unavailable', "the journal's thread has died"));
  }

  /** Never rejects: what could not be tidied up is recovered by the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    const { path, log } = this.#options;
    await this.#link?.close().catch((thrown: unknown) => {
      log.warn({ path, reason: Failure.from(thrown).message }, 'the journal was not closed in good order');
    });
  }

  #revive(reason: string): void {
    this.#link = undefined;
    const { log, path } = this.#options;
    if (this.#closed) return;
    log.error({ path, reason }, "the journal's thread has died: another one begins");
    this.#openLater();
  }

  #openLater(): void {
    const { clock, log, path } = this.#options;
    clock.after(reviveMs, async () => {
      if (this.#closed) return;
      try {
        await this.open();
        this.#cannotOpen = false;
      } catch (thrown) {
        if (this.#closed) return;
        const { message } = Failure.from(thrown);
        if (!this.#cannotOpen) log.error({ path, reason: message }, 'the journal cannot be opened again yet');
        this.#cannotOpen = true;
        this.#openLater();
      }
    });
  }

  #tell({ setAside, bytes }: Opened): void {
    const { path, log, observer } = this.#options;
    observer.size(bytes);
    if (setAside === undefined) return;
    const { to, reason } = setAside;
    log.error(
      { path, to, reason },
      'the journal could not be read: it was moved aside, and a new one begins',
    );
    observer.setAside();
    this.#onNewFile();
  }
}
