import type { Entry, Subject, Writer } from '#src/journal/entry.ts';

/** Bytes of one entry: its time as a double, then subject and count as 32-bit numbers, in the machine's order. */
export const entryBytes = 16;

/** Entries of one writer in the form in which they are kept: one row of the database. */
export interface Row {
  readonly id: number;
  readonly writer: Writer;
  readonly sequence: number;
  readonly stepMs: number;
  readonly count: number;
  readonly oldest: number;
  readonly newest: number;
  readonly bytes: Uint8Array;
}

/** A row that grows entry by entry. */
export class RowBuilder {
  readonly id: number;
  readonly writer: Writer;
  readonly sequence: number;
  readonly #stepMs: number;
  #count = 0;
  #oldest = Number.POSITIVE_INFINITY;
  #newest = 0;
  #times = new Float64Array(16);
  #words = new Uint32Array(this.#times.buffer);

  constructor({ id, writer, sequence, stepMs }: Pick<Row, 'id' | 'writer' | 'sequence' | 'stepMs'>) {
    this.id = id;
    this.writer = writer;
    this.sequence = sequence;
    this.#stepMs = stepMs;
  }

  get count(): number {
    return this.#count;
  }

  add(subjectId: number, at: number, count: number): void {
    const index = this.#count++;
    if (index * 2 === this.#times.length) this.#grow();
    this.#times[index * 2] = at;
    this.#words[index * 4 + 2] = subjectId;
    this.#words[index * 4 + 3] = Math.min(count, 0xffff_ffff);
    if (at < this.#oldest) this.#oldest = at;
    if (at > this.#newest) this.#newest = at;
  }

  done(): Row {
    return {
      id: this.id,
      writer: this.writer,
      sequence: this.sequence,
      stepMs: this.#stepMs,
      count: this.#count,
      oldest: this.#oldest,
      newest: this.#newest,
      bytes: new Uint8Array(this.#times.buffer, 0, this.#count * entryBytes),
    };
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    times.set(this.#times);
    this.#times = times;
    this.#words = new Uint32Array(times.buffer);
  }
}

/** How many whole entries the bytes hold; undefined if they hold a part of one. */
export function countEntries(bytes: Uint8Array): number | undefined {
  return bytes.byteLength % entryBytes === 0 ? bytes.byteLength / entryBytes : undefined;
}

/** Calls `take` with the entries from one place to another. The bytes hold whole entries. */
export function readEntries(
  bytes: Uint8Array,
  take: (subjectId: number, at: number, count: number) => void,
  [from, to]: readonly [number, number] = [0, bytes.byteLength / entryBytes],
): void {
  // A copy where the bytes do not lie as doubles must.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const times = new Float64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 8);
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
  for (let index = from; index < to; index++) {
    take(words[index * 4 + 2] as number, times[index * 2] as number, words[index * 4 + 3] as number);
  }
}

/** What a follower is given at a time. */
const entriesAtATime = 512;

interface Reused {
  subject: Subject;
  at: number;
  count: number;
}

/**
 * Gives the entries of rows, some at a time. All of them are the same few objects, written over: a start reads many
 * times what it keeps, and an object for each entry would make it as large as all that it has read.
 */
export class RowReader {
  readonly #subjectOf: (id: number, at: number) => Subject | undefined;
  readonly #reused: Reused[] = [];
  readonly #given: Entry[] = [];
  /** Entries that made no sense. */
  broken = 0;

  constructor(subjectOf: (id: number, at: number) => Subject | undefined) {
    this.#subjectOf = subjectOf;
  }

  /** Gives the row's entries from `after` on, with the place behind them. */
  read(bytes: Uint8Array, after: number, give: (entries: readonly Entry[], place: number) => void): void {
    const count = countEntries(bytes);
    if (count === undefined) {
      this.broken += Math.ceil(bytes.byteLength / entryBytes);
      return;
    }
    for (let from = after; from < count; from += entriesAtATime) {
      const to = Math.min(count, from + entriesAtATime);
      this.#given.length = 0;
      readEntries(bytes, this.#take, [from, to]);
      if (this.#given.length > 0) give(this.#given, to);
    }
  }

  readonly #take = (id: number, at: number, count: number): void => {
    const subject = this.#subjectOf(id, at);
    if (subject === undefined || !(at >= 0 && at < 1e15)) {
      this.broken++;
      return;
    }
    const place = this.#given.length;
    let entry = this.#reused[place];
    if (entry === undefined) {
      entry = { subject, at, count };
      this.#reused[place] = entry;
    } else {
      entry.subject = subject;
      entry.at = at;
      entry.count = count;
    }
    this.#given.push(entry);
  };
}
