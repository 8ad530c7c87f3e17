import type { Account } from '#src/sources/sysdig/account.ts';
import type { Series } from '#src/sources/sysdig/upstream.ts';
import type { MetricOfWorkload } from '#src/triggers/trigger.ts';

/**
 * What is asked of Sysdig on behalf of a trigger: everything that decides the answer and nothing else (no threshold,
 * no tuning), so that equal questions share one request and one memory.
 */
export interface Question {
  readonly account: Account;
  /** The tenant: batches never carry questions of two namespaces. */
  readonly namespace: string;
  readonly api: 'promql' | 'data';
  readonly select: { readonly kind: 'query'; readonly query: string } | MetricOfWorkload;
  /**
   * Whether the age of the data must be asked for: the query's own windows reach further back than the trigger's
   * `maxAge`, or it reads bare samples, which PromQL looks up as far as 5 minutes back.
   */
  readonly maxAgeMs: number;
}

/** What Sysdig said to one question. Empty series: no data. */
export interface Answer {
  readonly series: readonly Series[];
  /** When the question was sent, epoch ms: memory counts its age from here. */
  readonly askedAt: number;
  /**
   * The time of the newest data behind the answer, epoch ms, where it could be told; otherwise `askedAt`.
   */
  readonly dataAt: number;
}

/** The broker's face to the rest. */
export interface Questions {
  /**
   * The answer from memory where memory may answer, otherwise a promise of it. Throws, or rejects with, a `Failure`;
   * a remembered failure is thrown at once. `ttlMs`: how old an answer may be before it is asked again.
   */
  ask(question: Question, ttlMs: number): Answer | Promise<Answer>;
  /** The last good answer, however old, while it is remembered. */
  recollect(question: Question): Answer | undefined;
  /** Keeps the question warm and reports each new answer, until `signal` aborts. */
  follow(question: Question, ttlMs: number, onAnswer: (answer: Answer) => void, signal: AbortSignal): void;
}
