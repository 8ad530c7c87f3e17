import type { Batch, Writer } from '#src/journal/entry.ts';

/** How far each writer has come: what is at or under its mark has been appended before. */
export class HighWater {
  readonly #marks = new Map<string, number>();
  #recent: Writer | undefined;
  #recentKey = '';

  /** Takes in the mark that a file remembers. */
  set(writer: Writer, sequence: number): void {
    this.#marks.set(this.#keyOf(writer), sequence);
  }

  /** What of the batch has not been appended before, and raises the mark above it. */
  take(batch: Batch): Pick<Batch, 'sequence' | 'entries'> {
    const { sequence, entries } = batch;
    const key = this.#keyOf(batch.writer);
    const mark = this.#marks.get(key) ?? Number.NEGATIVE_INFINITY;
    this.#marks.set(key, Math.max(mark, sequence + entries.length - 1));
    if (mark < sequence) return batch;
    const known = Math.min(mark - sequence + 1, entries.length);
    return { sequence: sequence + known, entries: entries.slice(known) };
  }

  /** A process has one writer, whose key is remembered. JSON cannot confuse two replicas, whatever their names hold. */
  #keyOf(writer: Writer): string {
    if (writer === this.#recent) return this.#recentKey;
    this.#recent = writer;
    this.#recentKey = JSON.stringify([writer.replica, writer.epoch]);
    return this.#recentKey;
  }
}
