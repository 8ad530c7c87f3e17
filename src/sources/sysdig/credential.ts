/** What opens an account. Secrets stay inside: they leave only as request headers. */
export interface Credential {
  /** Rises with every change of the secret; part of every key in memory. */
  readonly version: number;
  /** The headers that authenticate a request. Throws `unauthenticated` when the secret cannot be had, naming its file. */
  headers(signal: AbortSignal): Promise<Record<string, string>>;
  /** After a 401: reads the file (or the IAM token) again. True if there is now another secret to try. */
  renew(signal: AbortSignal): Promise<boolean>;
  close(): void;
}
