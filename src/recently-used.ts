/** How much may be kept: `entries` and `weight` are each held to between half of the number and all of it. */
export interface Bounds {
  readonly entries: number;
  readonly weight: number;
}

/**
 * A bounded memory that forgets what was not used lately.
 *
 * Two generations instead of a list of uses: an entry that is found in the old one moves to the young one, and when
 * the young one is full it becomes the old one. A hit on a young entry, which nearly all are, changes nothing.
 */
export class RecentlyUsed<V> {
  readonly #bounds: Bounds;
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #weight = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  /** A key weighs its length: the values here are small beside the metadata in their keys. */
  set(key: string, value: V): void {
    this.#old.delete(key);
    this.#young.set(key, value);
    this.#weight += key.length;
    if (this.#young.size * 2 < this.#bounds.entries && this.#weight * 2 < this.#bounds.weight) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#weight = 0;
  }

  /** Those used last come last. */
  *values(): Generator<V> {
    yield* this.#old.values();
    yield* this.#young.values();
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
