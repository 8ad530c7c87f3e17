/**
 * Why an answer could not be given. The gRPC face maps these to status codes in one file; nothing else knows gRPC.
 *
 * - `invalid`: the trigger, or the query in it, is wrong; only its author can mend it
 * - `not-found`: no such metric, or no data
 * - `unauthenticated`, `permission-denied`: Sysdig, or our own account rules, refuse
 * - `rate-limited`: Sysdig or our own budget says later; `retryAt` says when
 * - `deadline`: the answer did not come in time; the flight goes on
 * - `unavailable`: the upstream failed; asking again later may help
 * - `internal`: a defect of ours
 */
export type FailureCode =
  | 'invalid'
  | 'not-found'
  | 'unauthenticated'
  | 'permission-denied'
  | 'rate-limited'
  | 'deadline'
  | 'unavailable'
  | 'internal';

export interface FailureDetails {
  cause?: unknown;
  /** Epoch ms of the next try, where known. */
  retryAt?: number;
  /** The HTTP status that an upstream answered with. */
  httpStatus?: number;
}

/** The one error type. Its message is for the trigger's author and never holds a secret. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly retryAt: number | undefined;
  readonly httpStatus: number | undefined;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Failure';
    this.code = code;
    this.retryAt = details.retryAt;
    this.httpStatus = details.httpStatus;
  }

  /** Anything thrown, as a Failure: what is not one already is a defect of ours. */
  static from(thrown: unknown): Failure {
    if (thrown instanceof Failure) return thrown;
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    return new Failure('internal', `internal error: ${text}`, { cause: thrown });
  }
}
