/** Time as an argument, so that no test sleeps. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Runs `run` once, `delayMs` from now. Returns the cancellation. */
  after(delayMs: number, run: () => void): () => void;
}

/** The machine's clock. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
