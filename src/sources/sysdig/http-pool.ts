import { readFileSync } from 'node:fs';
import type { Agent, Dispatcher } from 'undici';
import { EnvHttpProxyAgent, errors, ProxyAgent, request } from 'undici';
import { Failure } from '#src/failure.ts';
import { acceptEncoding, BodyTooLarge, decodeBody } from '#src/sources/sysdig/decode-body.ts';
import { isLoopback } from '#src/sources/sysdig/endpoints.ts';

/** Where a request goes and by which way. */
export interface Destination {
  /** Origin and path prefix, without a trailing slash. */
  readonly baseUrl: string;
  /** An HTTP proxy; undefined: what the environment says. */
  readonly proxy: string | undefined;
  /** PEM certificates to check the server against, instead of the system's. */
  readonly ca: string | undefined;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** Follows the base URL; with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface HttpPoolOptions {
  /** Over the whole exchange, from the wait for a connection to the last byte. Default 30 s. */
  readonly timeoutMs?: number;
  /** Of a decoded answer. Default 16 MiB. */
  readonly maxBytes?: number;
  /** Where HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in either case, are read. Default: none of them is set. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const userAgent = `external-scaler-sysdig/${readVersion()}`;
/** Below what balancers commonly allow (60 s), so that we and not they close an idle connection. */
const keepAliveMs = 50_000;

/**
 * Keep-alive connections, a pool for each way to a server. Answers come decoded and bounded;
 * redirects are answers like any other, since following one would hand the token to another server.
 */
export class HttpPool {
  readonly timeoutMs: number;
  readonly #maxBytes: number;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #agents = new Map<string, Dispatcher>();

  constructor({ timeoutMs = 30_000, maxBytes = 16 * 1024 * 1024, environment = {} }: HttpPoolOptions = {}) {
    this.timeoutMs = timeoutMs;
    this.#maxBytes = maxBytes;
    this.#environment = environment;
  }

  /**
   * One exchange. Rejects with a `Failure`: `unavailable` where no whole answer came, `invalid` for one that is too
   * large. Whatever the status, an answer that came resolves.
   */
  async send(to: Destination, sent: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const timeout = AbortSignal.timeout(this.timeoutMs);
    try {
      const answer = await request(to.baseUrl + sent.path, {
        dispatcher: this.#agent(to),
        method: sent.method,
        headers: {
          'user-agent': userAgent,
          accept: 'application/json',
          'accept-encoding': acceptEncoding,
          ...sent.headers,
        },
        body: sent.body ?? null,
        signal: AbortSignal.any([signal, timeout]),
      });
      const { statusCode: status, headers } = answer;
      const encoding = headers['content-encoding'];
      const body = await decodeBody(await answer.body.bytes(), encoding?.toString(), this.#maxBytes);
      return { status, headers, body };
    } catch (error) {
      throw this.#failure(error, to, { timedOut: timeout.aborted, cancelled: signal.aborted });
    }
  }

  async close(): Promise<void> {
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  #agent(to: Destination): Dispatcher {
    const key = JSON.stringify([new URL(to.baseUrl).origin, to.proxy, to.ca]);
    const agent = this.#agents.get(key) ?? this.#newAgent(to);
    this.#agents.set(key, agent);
    return agent;
  }

  #newAgent(to: Destination): Dispatcher {
    const tls = to.ca === undefined ? {} : { ca: to.ca };
    const options: Agent.Options = {
      keepAliveTimeout: keepAliveMs,
      maxResponseSize: this.#maxBytes,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: this.timeoutMs, ...tls },
    };
    const proxied = { ...options, requestTls: tls, proxyTls: tls, connectTimeout: this.timeoutMs };
    if (to.proxy !== undefined) return new ProxyAgent({ ...proxied, uri: proxyUrl(to.proxy) });
    const url = new URL(to.baseUrl);
    const proxy = isLoopback(url.hostname)
      ? ''
      : this.#fromEnvironment(url.protocol === 'https:' ? 'https_proxy' : 'http_proxy');
    return new EnvHttpProxyAgent({
      ...proxied,
      httpProxy: proxyUrl(proxy),
      httpsProxy: proxyUrl(proxy),
      noProxy: this.#fromEnvironment('no_proxy'),
    });
  }

  #fromEnvironment(name: string): string {
    return this.#environment[name] || this.#environment[name.toUpperCase()] || '';
  }

  #failure(error: unknown, to: Destination, why: { timedOut: boolean; cancelled: boolean }): Failure {
    if (error instanceof Failure) return error;
    const { host } = new URL(to.baseUrl);
    if (why.cancelled)
      return new Failure('unavailable', `the request to ${host} was cancelled`, { cause: error });
    if (why.timedOut) {
      return new Failure(
        'unavailable',
        `expected an answer from ${host} within ${this.timeoutMs / 1000} s, got none`,
        { cause: error },
      );
    }
    if (error instanceof BodyTooLarge || error instanceof errors.ResponseExceededMaxSizeError) {
      return new Failure(
        'invalid',
        `expected an answer from ${host} of at most ${this.#maxBytes} bytes, got a larger one; aggregate the query`,
        { cause: error },
      );
    }
    return new Failure('unavailable', `expected an answer from ${host}, got: ${described(error)}`, {
      cause: error,
    });
  }
}

/** Without a scheme a proxy is an http one, as other programs read it. Never quoted: it may hold credentials. */
function proxyUrl(text: string): string {
  if (text === '') return '';
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url !== null && ['http:', 'https:'].includes(url.protocol)) return url.href;
  throw new Failure(
    'unavailable',
    "proxy: expected an address such as http://proxy.example.com:3128, got something else; check the account's proxy or HTTPS_PROXY",
  );
}

/** A connection that failed on several addresses says nothing itself; its parts do. */
function described(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return described(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.message || error.name;
}

function readVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
