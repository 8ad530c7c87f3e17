import type { Batch, Entry } from '#src/journal/entry.ts';

/** Where a follower stands in a journal; opaque, and only of use to the journal that gave it. */
export type Position = string;

export interface FollowOptions {
  /** After this position; undefined: from the oldest entry that is kept. */
  readonly from?: Position | undefined;
  /** Ends the following. */
  readonly signal: AbortSignal;
}

/** Receives entries in the journal's order, each once. They are the journal's own, and good only until it returns. */
export type Follower = (entries: readonly Entry[], position: Position) => void;

/**
 * The one log of what happened; everything downstream is computed from it.
 *
 * - What this process appends reaches its followers at once, before it is durable: a push waits for no disk.
 * - Entries are idempotent by (replica, epoch, sequence): what is appended again is neither delivered nor kept twice.
 * - Kept are `retentionMs` and a size; what is older goes. Old entries may be made coarser as `stepOf` their age
 *   allows: sums per subject and step stay what they were, however often.
 */
export interface Journal {
  /**
   * Resolves when the entries survive a kill -9 and a power cut. Rejects with `unavailable` when they could not be
   * written: they have been delivered to followers all the same, and are written later if that becomes possible.
   */
  append(batch: Batch): Promise<void>;
  /** Resolves when everything that was there at the call has been delivered; later entries follow as they come. */
  follow(follower: Follower, options: FollowOptions): Promise<void>;
  /** Drops what is older than retention or above the size, and makes the old coarser. Called about once a minute. */
  compact(now: number): Promise<void>;
  /** Entries that are not durable yet. */
  readonly backlog: number;
  /** Since when nothing is missing, epoch ms; 0 unless an earlier journal was lost. */
  readonly completeSince: number;
  /** Makes durable what is still on its way, then lets go of the file. Appending afterwards rejects. */
  close(): Promise<void>;
}

/** Told of what a journal does; metrics listen here. */
export interface JournalObserver {
  committed(entries: number, durationMs: number): void;
  /** A write failed; true again after the next one that succeeds. */
  durable(isDurable: boolean): void;
  /** Entries that will never be durable. */
  lost(entries: number): void;
  /** A file that could not be read was moved aside. */
  setAside(): void;
  /** Bytes on disk, or in memory. */
  size(bytes: number): void;
}
