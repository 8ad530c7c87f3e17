import type { Account } from '#src/sources/sysdig/account.ts';
import type { GroupAggregation, TimeAggregation } from '#src/triggers/trigger.ts';

/** One series of an answer. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** May be NaN or infinite: the reader decides. */
  readonly value: number;
  /** Epoch ms that the upstream stamped: for PromQL the evaluation, for the Data API the end of the bucket. */
  readonly at: number;
}

export interface UpstreamAnswer {
  readonly series: readonly Series[];
  /** PromQL's `warnings`, as they came (at most 200 characters each): the answer may be truncated. */
  readonly warnings: readonly string[];
}

/** A question to the Data API: one metric, one aggregate over the window. */
export interface DataRequest {
  readonly metric: string;
  readonly timeAggregation: TimeAggregation;
  readonly groupAggregation: GroupAggregation;
  readonly windowMs: number;
  /** Data API syntax, already escaped; undefined: no filter. */
  readonly filter: string | undefined;
}

/**
 * Sysdig's two query APIs. Every method rejects with a `Failure` (see the error table in docs/sysdig.md) whose
 * `httpStatus` is set when an answer came, and whose `retryAt` is set on a 429. A 401 has been tried again with a
 * re-read credential before it fails.
 */
export interface Upstream {
  /** A PromQL instant query. A matrix or string result is `invalid`; a scalar is one series without labels. */
  query(account: Account, expression: string, signal: AbortSignal): Promise<UpstreamAnswer>;
  /** The newest whole bucket of a Data API question; null values are left out. */
  data(account: Account, request: DataRequest, signal: AbortSignal): Promise<UpstreamAnswer>;
}

/** Told of what passes on the wire and in memory; metrics listen here. Every label is bounded. */
export interface SysdigObserver {
  /** `outcome`: `ok`, or a FailureCode. */
  request(account: string, outcome: string, durationMs: number): void;
  /** A question answered from memory, by joining a flight, or by a new one. */
  asked(account: string, how: 'memory' | 'joined' | 'cold'): void;
  /** How many questions a request carried beyond the first. */
  merged(account: string, questions: number): void;
  frozen(account: string, until: number): void;
  /** X-RateLimit-Limit, requests per minute. */
  rateLimit(account: string, perMinute: number): void;
}
