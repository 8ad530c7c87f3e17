import type { Clock } from '#src/clock.ts';

export interface Waiting {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The error to give up with when the time is up. */
  readonly late: () => Error;
  /** The error to give up with when the caller has gone. */
  readonly gone: () => Error;
  readonly signal: AbortSignal | undefined;
}

/**
 * The flight's result, if it comes in time and the caller stays. Only the waiting ends early: the flight itself goes
 * on, and whatever becomes of it afterwards is heard here, so that it is never an unhandled rejection.
 */
export function waitFor<T>(flight: Promise<T>, waiting: Waiting): Promise<T> {
  const { clock, timeoutMs, late, gone, signal } = waiting;
  return new Promise((resolve, reject) => {
    const stopTimer = clock.after(timeoutMs, () => end(() => reject(late())));
    const onAbort = () => end(() => reject(gone()));
    const end = (settle: () => void) => {
      stopTimer();
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    flight.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    );
    if (signal?.aborted) onAbort();
  });
}
