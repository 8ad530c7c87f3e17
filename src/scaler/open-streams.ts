import type { Clock } from '#src/clock.ts';
import type { CallObserver } from '#src/scaler/observer.ts';

/** What a gRPC server stream offers, as far as its life is concerned. */
export interface Endable {
  /** grpc-js tells of every end, also a good one, as `cancelled`. */
  once(event: 'cancelled', listener: () => void): unknown;
  end(): unknown;
}

export interface OpenStreamsOptions {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly observer: CallObserver;
}

const hourMs = 3_600_000;
/** Four to five hours: a stream stays with one replica, so without an end no load would ever move to a new one. */
export const longestLifeMs = 5 * hourMs;
const shortestLifeMs = 4 * hourMs;

/**
 * Every stream that is open, and its end. All ends are OK: any other resets nothing of KEDA's backoff, which grows to
 * a minute, however long the stream lived.
 */
export class OpenStreams {
  readonly #options: OpenStreamsOptions;
  readonly #ends = new Set<() => void>();
  #draining = false;

  constructor(options: OpenStreamsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#ends.size;
  }

  /**
   * Keeps `call` until it ends: by its client, by age, or by `drain`. The signal aborts at its end, whatever ended
   * it. While draining it ends at once.
   */
  adopt(call: Endable, method: string): AbortSignal {
    const { clock, random, observer } = this.#options;
    const controller = new AbortController();
    const close = () => {
      if (!this.#ends.delete(end)) return;
      stopAge();
      controller.abort();
      observer.closed(method);
    };
    const end = () => {
      close();
      call.end();
    };
    const stopAge = clock.after(shortestLifeMs + random() * (longestLifeMs - shortestLifeMs), end);
    this.#ends.add(end);
    observer.opened(method);
    call.once('cancelled', close);
    if (this.#draining) end();
    return controller.signal;
  }

  /** Ends every stream, and from now on each new one. */
  drain(): void {
    this.#draining = true;
    for (const end of [...this.#ends]) end();
  }
}
