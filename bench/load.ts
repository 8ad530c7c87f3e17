import { setTimeout as pause } from 'node:timers/promises';

/** Latencies of a load, ms, and how many calls failed. */
export interface LoadResult {
  readonly calls: number;
  readonly failed: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

type Call = () => Promise<unknown>;

/** `concurrency` callers, each with its next call as soon as the last is answered, for `forMs`. */
export async function closedLoop(
  call: Call,
  { concurrency, forMs }: { concurrency: number; forMs: number },
): Promise<LoadResult> {
  const taken = new Taken();
  const until = performance.now() + forMs;
  const caller = async () => {
    while (performance.now() < until) await taken.time(call, performance.now());
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return taken.result(forMs);
}

/**
 * A steady rate, whatever the answers do: latency counts from the moment that a call was due, so a server that stands
 * still is charged for the calls that had to wait.
 */
export async function openLoop(
  call: Call,
  { perSecond, forMs }: { perSecond: number; forMs: number },
): Promise<LoadResult> {
  const taken = new Taken();
  const started = performance.now();
  const pending: Promise<void>[] = [];
  const total = Math.round((perSecond * forMs) / 1000);
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - started) * perSecond) / 1000) + 1);
    for (; sent < due; sent++) pending.push(taken.time(call, started + (sent * 1000) / perSecond));
    await pause(1);
  }
  await Promise.all(pending);
  return taken.result(performance.now() - started);
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

class Taken {
  readonly #latencies: number[] = [];
  #failed = 0;

  async time(call: Call, dueAt: number): Promise<void> {
    try {
      await call();
      this.#latencies.push(performance.now() - dueAt);
    } catch {
      this.#failed += 1;
    }
  }

  result(tookMs: number): LoadResult {
    return {
      calls: this.#latencies.length,
      failed: this.#failed,
      perSecond: Math.round((this.#latencies.length * 1000) / tookMs),
      p50: percentile(this.#latencies, 0.5),
      p99: percentile(this.#latencies, 0.99),
      max: percentile(this.#latencies, 1),
    };
  }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
