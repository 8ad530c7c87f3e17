import type { AlertSubject } from '#src/alerts/alert.ts';
import type { Entry } from '#src/journal/entry.ts';

interface Sum {
  readonly at: number;
  count: number;
  /** The same subject at another tick. */
  readonly next: Sum | undefined;
}

/** Counts of alerts by subject and tick. */
export class Sums {
  #sums = new Map<AlertSubject, Sum>();
  #waiting = 0;

  /** False when it is the first of its subject and tick. That one is counted only if told so. */
  add(subject: AlertSubject, at: number, countsFirst: boolean): boolean {
    const newest = this.#sums.get(subject);
    for (let sum = newest; sum !== undefined; sum = sum.next) {
      if (sum.at !== at) continue;
      if (sum.count === 0) this.#waiting += 1;
      sum.count += 1;
      return true;
    }
    this.#sums.set(subject, { at, count: countsFirst ? 1 : 0, next: newest });
    if (countsFirst) this.#waiting += 1;
    return false;
  }

  /** Entries that `take` would give. */
  get waiting(): number {
    return this.#waiting;
  }

  /** What was counted; begins anew. */
  take(): Entry[] {
    const entries: Entry[] = [];
    if (this.#waiting > 0) {
      for (const [subject, newest] of this.#sums) {
        for (let sum: Sum | undefined = newest; sum !== undefined; sum = sum.next) {
          if (sum.count > 0) entries.push({ subject, at: sum.at, count: sum.count });
        }
      }
    }
    this.#sums.clear();
    this.#waiting = 0;
    return entries;
  }
}
