/** Something that is due once; undefined when it is not. */
export interface Dated {
  dueAt: number | undefined;
}

/** What is due when: a binary heap, in which a place given up is only forgotten when it is reached. */
export class Agenda<T extends Dated> {
  readonly #heap: { at: number; item: T }[] = [];

  /** Gives the item its one date, in place of any other. */
  put(item: T, at: number): void {
    item.dueAt = at;
    this.#heap.push({ at, item });
    for (let child = this.#heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (this.#at(parent) <= this.#at(child)) break;
      this.#swap(parent, child);
      child = parent;
    }
  }

  /** When the first item is due. */
  next(): number | undefined {
    while (this.#heap[0] && this.#heap[0].item.dueAt !== this.#heap[0].at) this.#pop();
    return this.#heap[0]?.at;
  }

  /** Takes the first item that is due by `until`, and its date from it. */
  take(until: number): T | undefined {
    const at = this.next();
    if (at === undefined || at > until) return undefined;
    const item = this.#pop();
    if (item) item.dueAt = undefined;
    return item;
  }

  #pop(): T | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (!first || !last || this.#heap.length === 0) return first?.item;
    this.#heap[0] = last;
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      const child = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(parent) <= this.#at(child)) break;
      this.#swap(parent, child);
      parent = child;
    }
    return first.item;
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one) this.#heap[b] = one;
    if (other) this.#heap[a] = other;
  }
}
