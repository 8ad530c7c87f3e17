import type { Clock } from '#src/clock.ts';

export interface Outlet<T> {
  readonly clock: Clock;
  /** The message as things stand now; undefined when there is nothing to say any more. */
  readonly current: () => T | undefined;
  /** Sends a message and calls `written` when the transport has taken it. */
  readonly write: (message: T, written: () => void) => void;
}

/**
 * HTTP/2 lets some 9,000 unread `true` gather in one stream's window, and KEDA, handling them late, would keep the
 * workload from scaling to zero (http-add-on#1792). Backpressure comes too late for that, so the rate is held here.
 */
const gapMs = 1_000;

/**
 * A stream's one slot: whatever is offered while a message is on its way, or within a second of the last, becomes one
 * message, made when it goes. After a quiet second an offer goes out at once.
 */
export class OneSlot<T> {
  readonly #outlet: Outlet<T>;
  #wanted = false;
  #writing = false;
  #lastAt = Number.NEGATIVE_INFINITY;
  #stopTimer: (() => void) | undefined;

  constructor(outlet: Outlet<T>, signal: AbortSignal) {
    this.#outlet = outlet;
    signal.addEventListener('abort', () => this.#close(), { once: true });
  }

  offer(): void {
    this.#wanted = true;
    this.#flush();
  }

  #flush(): void {
    if (!this.#wanted || this.#writing || this.#stopTimer) return;
    const { clock, current, write } = this.#outlet;
    const waitMs = this.#lastAt + gapMs - clock.now();
    // A wait above the gap means that the clock was set back.
    if (waitMs > 0 && waitMs <= gapMs) {
      this.#stopTimer = clock.after(waitMs, () => {
        this.#stopTimer = undefined;
        this.#flush();
      });
      return;
    }
    this.#wanted = false;
    const message = current();
    if (message === undefined) return;
    this.#writing = true;
    this.#lastAt = clock.now();
    write(message, () => {
      this.#writing = false;
      this.#flush();
    });
  }

  #close(): void {
    this.#wanted = false;
    this.#stopTimer?.();
    // Whatever is written from now on has no stream: the slot stays taken.
    this.#writing = true;
  }
}
