/** Times are kept to the tick: what happens within one is one. */
export const tickMs = 100;

/** How far a sender's clock may be ahead; what claims to be later happened when it arrived. */
export const mostAheadMs = 5 * 60_000;

const steps = [
  { belowMs: 60_000, stepMs: tickMs },
  { belowMs: 600_000, stepMs: 1_000 },
  { belowMs: 3_600_000, stepMs: 10_000 },
  { belowMs: Number.POSITIVE_INFINITY, stepMs: 60_000 },
] as const;

/**
 * The step in which a window of this length moves, ms: a tick under a minute, then 1 s, 10 s, and 60 s from an hour on.
 *
 * The same step holds for what is this old: only windows at least as long can see it, so whatever coarsens old entries
 * to it (rounding their times down) changes no count. Each step is a multiple of the one before.
 */
export function stepOf(lengthMs: number): number {
  for (const { belowMs, stepMs } of steps) if (lengthMs < belowMs) return stepMs;
  return 60_000;
}

export function floorTo(stepMs: number, at: number): number {
  return Math.floor(at / stepMs) * stepMs;
}
