import type { Writer } from '#src/journal/entry.ts';
import { tickMs } from '#src/journal/resolution.ts';
import { entryBytes, type Row, RowBuilder } from '#src/journal/sqlite/row.ts';

/** More would be given up, and made coarser, in one piece. */
const mostInRow = 8_192;

/** Rows that are not in the file yet, in order: those that a write has failed for, and the one that is growing. */
export class UnwrittenRows {
  #closed: Row[] = [];
  #growing: RowBuilder | undefined;
  #entries = 0;
  #nextRow: number;

  constructor(lastRow: number) {
    this.#nextRow = lastRow + 1;
  }

  /** Adds to the growing row, or begins another when it is long, for another writer, or at a gap in the sequence. */
  rowFor(writer: Writer, sequence: number): RowBuilder {
    const row = this.#growing;
    const goesOn = row?.writer === writer && row.sequence + row.count === sequence && row.count < mostInRow;
    if (row !== undefined && goesOn) return row;
    this.#close();
    this.#growing = new RowBuilder({ id: this.#nextRow++, writer, sequence, stepMs: tickMs });
    return this.#growing;
  }

  added(entries: number): void {
    this.#entries += entries;
  }

  /** Every row so far; what is added from now on begins another. */
  all(): readonly Row[] {
    this.#close();
    return this.#closed;
  }

  /** The newest row that has begun. */
  get last(): number {
    return this.#nextRow - 1;
  }

  /** Entries in all of them. */
  get entries(): number {
    return this.#entries;
  }

  /** The time of the oldest entry in them. */
  get oldest(): number {
    return this.all().reduce((oldest, row) => Math.min(oldest, row.oldest), Number.POSITIVE_INFINITY);
  }

  /** These have been written. */
  remove(rows: readonly Row[]): void {
    this.#closed = this.#closed.slice(rows.length);
    for (const { count } of rows) this.#entries -= count;
  }

  /** Gives up the oldest after the first `spared` until what remains fits; answers how many entries that cost. */
  shrink(mostBytes: number, spared: number): number {
    let lost = 0;
    while (this.#entries * entryBytes > mostBytes) {
      const [oldest] = this.#closed.splice(spared, 1);
      if (oldest === undefined) break;
      this.#entries -= oldest.count;
      lost += oldest.count;
    }
    return lost;
  }

  #close(): void {
    if (this.#growing !== undefined && this.#growing.count > 0) this.#closed.push(this.#growing.done());
    this.#growing = undefined;
  }
}
