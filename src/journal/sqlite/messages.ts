import type { Row } from '#src/journal/sqlite/row.ts';

/** What the main thread asks of the thread that owns the file, and what it answers. */
export interface Requests {
  commit: { ask: { rows: readonly Row[]; subjects: readonly (readonly [number, string])[] }; answer: null };
  /** Rows after one, oldest first, until they are about so many bytes; none means that there are no more. */
  read: { ask: { after: number; upTo: number; bytes: number }; answer: readonly StoredRow[] };
  /** The same with subjects; none means that there are no more. */
  subjects: { ask: { after: number; bytes: number }; answer: readonly (readonly [number, string])[] };
  /** One slice of the work; `more` asks to be called again. What is older than `cut` goes, whatever the retention. */
  compact: { ask: { now: number; cut: number }; answer: Compacted };
  /** Deletes subjects that nothing names any more. */
  forget: { ask: { subjects: readonly number[] }; answer: null };
  /** Notes that something before this time is missing. */
  incomplete: { ask: { since: number }; answer: null };
  close: { ask: null; answer: null };
}

export type RequestName = keyof Requests;

export interface StoredRow {
  readonly id: number;
  readonly entries: Uint8Array;
}

export interface Compacted {
  readonly more: boolean;
  /** Entries dropped to keep the size. */
  readonly lost: number;
  readonly completeSince: number;
  readonly compactedTo: number;
  /** The time of the oldest entry that is kept; undefined without entries. */
  readonly oldest: number | undefined;
  readonly bytes: number;
}

/** What the file held when it was opened. */
export interface Opened {
  readonly writers: readonly (readonly [replica: string, epoch: number, sequence: number])[];
  readonly lastRow: number;
  readonly completeSince: number;
  readonly compactedTo: number;
  readonly bytes: number;
  /** Where a file that could not be read went, and why it could not. */
  readonly setAside: { readonly to: string; readonly reason: string } | undefined;
}

export interface OpenOptions {
  readonly path: string;
  readonly now: number;
  readonly retentionMs: number;
  readonly maxBytes: number;
  /** SQLite's own bound on the file, pages; for tests of a full disk. */
  readonly maxPages?: number | undefined;
}

/** An error in words that survive the way between threads. */
export interface Problem {
  readonly code: 'invalid' | 'unavailable';
  readonly message: string;
}

export type Reply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly problem: Problem };
