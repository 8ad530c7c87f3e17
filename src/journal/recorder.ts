import type { Entry, Writer } from '#src/journal/entry.ts';
import type { Journal } from '#src/journal/journal.ts';

/** Numbers what this process appends; nothing else does. */
export class Recorder {
  readonly #journal: Journal;
  readonly #writer: Writer;
  #next = 0;

  constructor(journal: Journal, writer: Writer) {
    this.#journal = journal;
    this.#writer = writer;
  }

  /** As `Journal.append`: delivers at once; the promise may be left alone by who does not need to know. */
  record(entries: readonly Entry[]): Promise<void> {
    const sequence = this.#next;
    this.#next += entries.length;
    return this.#journal.append({ writer: this.#writer, sequence, entries });
  }

  /** Entries that are not durable yet. */
  get backlog(): number {
    return this.#journal.backlog;
  }
}
