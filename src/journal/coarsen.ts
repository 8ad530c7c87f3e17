import { floorTo, stepOf } from '#src/journal/resolution.ts';

/** The steps that old entries are brought to, the coarsest first, and from which age on. */
export const coarserSteps = [3_600_000, 600_000, 60_000].map((ageMs) => ({ ageMs, stepMs: stepOf(ageMs) }));

/** Sums entries per subject and step. `T` is a subject, or whatever stands for one. */
export class Sums<T> {
  readonly #stepMs: number;
  readonly #sums = new Map<T, Map<number, number>>();
  #size = 0;

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  add(subject: T, at: number, count: number): void {
    let times = this.#sums.get(subject);
    if (times === undefined) {
      times = new Map();
      this.#sums.set(subject, times);
    }
    const step = floorTo(this.#stepMs, at);
    const before = times.get(step);
    if (before === undefined) this.#size++;
    times.set(step, (before ?? 0) + count);
  }

  /** How many sums there are. */
  get size(): number {
    return this.#size;
  }

  each(take: (subject: T, at: number, count: number) => void): void {
    for (const [subject, times] of this.#sums) for (const [at, count] of times) take(subject, at, count);
  }
}
