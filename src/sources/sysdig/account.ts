import type { Credential } from '#src/sources/sysdig/credential.ts';
import type { WatchedFile } from '#src/watched-file.ts';

/** One Sysdig account, as the operator configured it. */
export interface Account {
  /** `default` for the unnamed one. */
  readonly name: string;
  /** Without a trailing slash: `https://eu1.app.sysdig.com`. */
  readonly baseUrl: string;
  readonly credential: Credential;
  /** The namespaces it may serve; undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  /** `own`: only `metricName`, with namespace and cluster forced. */
  readonly queries: 'any' | 'own';
  /** Requests in flight at once. */
  readonly concurrency: number;
  /** The operator's own budget; undefined: learnt from X-RateLimit-Limit. */
  readonly requestsPerMinute: number | undefined;
  readonly proxy: string | undefined;
  /** The certificates (PEM) that Sysdig's is checked against; undefined: the system's. */
  readonly authorities: WatchedFile | undefined;
}
