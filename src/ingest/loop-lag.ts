const everyMs = 50;

/** How late the event loop is: what is late for a timer is late for every answer. */
export class LoopLag {
  readonly #timer: NodeJS.Timeout;
  #dueAt = performance.now() + everyMs;
  #last = 0;
  #before = 0;

  /** Its timer never keeps the process alive. */
  constructor() {
    this.#timer = setInterval(() => this.#measure(), everyMs).unref();
  }

  /** The smaller of the last two measures, ms: one long pause is a collection or a large body, and no overload. */
  get ms(): number {
    return Math.min(this.#last, this.#before);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #measure(): void {
    const now = performance.now();
    this.#before = this.#last;
    this.#last = Math.max(0, now - this.#dueAt);
    this.#dueAt = now + everyMs;
  }
}
