import type { Entry } from '#src/sources/sysdig/broker/entry.ts';

const forgetMs = 600_000;
const sweepMs = 60_000;

/** The entries by key, bounded: those that nobody asked for in 10 minutes go, and beyond the limit the idlest. */
export class Memory {
  readonly #entries = new Map<string, Entry>();
  readonly #limit: number;
  #sweptAt = 0;

  constructor(limit = 20_000) {
    this.#limit = limit;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** Whether the entry is still the one for its question. */
  holds(entry: Entry): boolean {
    return this.#entries.get(entry.inquiry.key) === entry;
  }

  add(entry: Entry, now: number): void {
    if (this.#entries.size >= this.#limit) this.#makeRoom();
    this.sweep(now);
    this.#entries.set(entry.inquiry.key, entry);
  }

  all(): Entry[] {
    return [...this.#entries.values()];
  }

  /** At most once a minute; cheap to call. */
  sweep(now: number): void {
    if (now - this.#sweptAt < sweepMs) return;
    this.#sweptAt = now;
    for (const [key, entry] of this.#entries) {
      if (now - entry.lastAskedAt > forgetMs && isIdle(entry)) this.#entries.delete(key);
    }
  }

  /** Frees a twentieth at once, so that the sorting is paid once for many. */
  #makeRoom(): void {
    const idle = [...this.#entries.values()].filter(isIdle).sort((a, b) => a.lastAskedAt - b.lastAskedAt);
    for (const entry of idle.slice(0, Math.ceil(this.#limit / 20))) this.#entries.delete(entry.inquiry.key);
  }
}

function isIdle(entry: Entry): boolean {
  return entry.followers.size === 0 && entry.flight === undefined;
}
