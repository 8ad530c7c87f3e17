import type { AlertSubject } from '#src/alerts/alert.ts';

/** What an entry is about. Later kinds (reaps, recreations) stand beside alerts. */
export type Subject = AlertSubject;

/**
 * Something that happened `count` times at one time.
 *
 * Subjects are compared by identity wherever speed counts, so whoever makes entries uses one object for one subject as
 * long as it can; two objects that are equal are only slower.
 */
export interface Entry {
  readonly subject: Subject;
  /** Epoch ms, at the start of its tick or of a coarser step (`resolution.ts`). */
  readonly at: number;
  readonly count: number;
}

/** One process's life: `epoch` is when it started, epoch ms. */
export interface Writer {
  readonly replica: string;
  readonly epoch: number;
}

/** Entries that one writer appends together; the entry at index i has the sequence `sequence + i`. */
export interface Batch {
  readonly writer: Writer;
  readonly sequence: number;
  readonly entries: readonly Entry[];
}
