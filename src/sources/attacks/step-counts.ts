import { floorTo, mostAheadMs, stepOf } from '#src/journal/resolution.ts';

/** How many alerts there were at which time; times are as fine as a window that can still see them needs. */
export class StepCounts {
  #counts = new Map<number, number>();

  add(at: number, count: number): void {
    this.#counts.set(at, (this.#counts.get(at) ?? 0) + count);
  }

  entries(): IterableIterator<[at: number, count: number]> {
    return this.#counts.entries();
  }

  times(): IterableIterator<number> {
    return this.#counts.keys();
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** Drops what is older than `from`, and makes the old coarser; later than what is seen if the clock is set back a little. */
  tidy(now: number, from: number): void {
    const tidied = new Map<number, number>();
    for (const [at, count] of this.#counts) {
      if (at < from) continue;
      const step = floorTo(stepOf(Math.max(0, now - at - mostAheadMs)), at);
      tidied.set(step, (tidied.get(step) ?? 0) + count);
    }
    this.#counts = tidied;
  }

  /** What lies beyond `latest` is moved there. */
  clamp(latest: number): void {
    for (const [at, count] of [...this.#counts]) {
      if (at <= latest) continue;
      this.#counts.delete(at);
      this.add(latest, count);
    }
  }
}
