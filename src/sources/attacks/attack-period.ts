/** When an attack begins and ends, epoch ms. */
export interface Period {
  /** Its first alert. */
  readonly first: number;
  /** Undefined: at its first alert, also one whose sender's clock is ahead. */
  readonly from: number | undefined;
  readonly to: number;
}

/** Each change of a target costs KEDA a reconcile. */
const leastMs = 60_000;

/**
 * The latest attack, out of the times of all its alerts: it lasts until no alert has come for `windowMs` (at least a
 * minute), and for a minute at least; the next begins a minute after its end at the earliest. So two changes are never
 * less than a minute apart, and everybody who knows the same alerts agrees.
 */
export function latestPeriod(times: Iterable<number>, windowMs: number): Period | undefined {
  let latest: Period | undefined;
  for (const at of [...times].sort((a, b) => a - b)) latest = extend(latest, at, windowMs);
  return latest;
}

/** The latest period after one more alert that is not earlier than its first. */
export function extend(latest: Period | undefined, at: number, windowMs: number): Period {
  if (latest !== undefined && at < latest.to) return { ...latest, to: Math.max(latest.to, at + windowMs) };
  const earliest = latest === undefined ? at : latest.to + leastMs;
  const from = at < earliest ? earliest : undefined;
  return { first: at, from, to: Math.max(at + windowMs, (from ?? at) + leastMs) };
}

export function isWithin({ from, to }: Period, now: number): boolean {
  return now < to && (from === undefined || now >= from);
}
