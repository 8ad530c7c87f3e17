import type { Entry } from '#src/journal/entry.ts';

/** Where alerts are written down; the journal's recorder is of this shape. */
export interface Records {
  /**
   * Counts the entries at once. Resolves when they, and all that was recorded before them, are durable; rejects when they
   * are not: they count all the same, and are written later if that becomes possible.
   */
  record(entries: readonly Entry[]): Promise<void>;
  /** Entries that are not durable yet. */
  readonly backlog: number;
}

/** Records, and knows whether everything recorded so far is durable. */
export class LastingRecords {
  readonly #records: Records;
  #last: Promise<void> = Promise.resolve();

  constructor(records: Records) {
    this.#records = records;
  }

  record(entries: readonly Entry[]): Promise<void> {
    const durable = this.#records.record(entries);
    // Whoever needs to know awaits it; nobody else may be ended by it. What is written together shares one promise.
    if (durable !== this.#last) durable.catch(ignore);
    this.#last = durable;
    return durable;
  }

  /**
   * Resolves when all that was recorded before is durable; rejects when it is not. A sender that repeats what could not
   * be written is not counted again, and must not be told that it is durable before it is.
   */
  settled(): Promise<void> {
    return this.#records.backlog === 0 ? Promise.resolve() : this.#last;
  }

  get backlog(): number {
    return this.#records.backlog;
  }
}

function ignore(): void {}
