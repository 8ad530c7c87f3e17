/** Told of every call and stream; metrics listen here. */
export interface CallObserver {
  /** A unary call has ended; `code` is the gRPC status name, `OK` or `NOT_FOUND`. */
  called(method: string, code: string, durationMs: number): void;
  opened(method: string): void;
  closed(method: string): void;
  /** A message went out on a stream. */
  pushed(method: string): void;
}
