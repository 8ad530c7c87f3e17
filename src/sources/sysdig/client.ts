import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { Account } from '#src/sources/sysdig/account.ts';
import { dataRequestBody, readDataAnswer } from '#src/sources/sysdig/data-api.ts';
import { type ErrorContext, failureOf, header, unreadable } from '#src/sources/sysdig/errors.ts';
import type { HttpAnswer, HttpPool, HttpRequest } from '#src/sources/sysdig/http-pool.ts';
import { readPromqlAnswer } from '#src/sources/sysdig/promql-answer.ts';
import type { DataRequest, SysdigObserver, Upstream, UpstreamAnswer } from '#src/sources/sysdig/upstream.ts';

export interface SysdigClientOptions {
  readonly pool: HttpPool;
  readonly observer: Pick<SysdigObserver, 'request' | 'rateLimit'>;
  readonly clock: Clock;
}

type Headers = Readonly<Record<string, string>>;

interface Attempt {
  readonly account: Account;
  readonly request: HttpRequest;
  /** Of the credential. */
  readonly headers: Headers;
}

/** Asks Sysdig's APIs on behalf of accounts. Knows nothing of time-to-live, budgets or merging: that is the broker's. */
export class SysdigClient implements Upstream {
  readonly #pool: HttpPool;
  readonly #observer: SysdigClientOptions['observer'];
  readonly #clock: Clock;

  constructor({ pool, observer, clock }: SysdigClientOptions) {
    this.#pool = pool;
    this.#observer = observer;
    this.#clock = clock;
  }

  async query(account: Account, expression: string, signal: AbortSignal): Promise<UpstreamAnswer> {
    const timeout = `${Math.max(1, Math.floor(this.#pool.timeoutMs / 1000))}s`;
    const request: HttpRequest = {
      method: 'POST',
      path: '/prometheus/api/v1/query',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ query: expression, timeout }).toString(),
    };
    return this.call(account, request, signal, readPromqlAnswer);
  }

  async data(account: Account, asked: DataRequest, signal: AbortSignal): Promise<UpstreamAnswer> {
    const request: HttpRequest = {
      method: 'POST',
      path: '/api/data/',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(dataRequestBody(asked)),
    };
    return this.call(account, request, signal, readDataAnswer);
  }

  /**
   * One authenticated request; `read` makes the answer of its JSON, or throws. Rejects with a `Failure`. A 401 is asked
   * again once, if the credential then has something else to try.
   */
  async call<T>(
    account: Account,
    request: HttpRequest,
    signal: AbortSignal,
    read: (body: unknown, context: ErrorContext) => T,
  ): Promise<T> {
    const { credential } = account;
    const headers = await credential.headers(signal);
    try {
      return await this.#attempt({ account, request, headers }, signal, read);
    } catch (error) {
      if (Failure.from(error).httpStatus !== 401) throw error;
      const renewed = await credential.renew(signal);
      const fresh = await credential.headers(signal);
      if (!renewed && fresh['authorization'] === headers['authorization']) throw error;
      return await this.#attempt({ account, request, headers: fresh }, signal, read);
    }
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #attempt<T>(
    { account, request, headers }: Attempt,
    signal: AbortSignal,
    read: (body: unknown, context: ErrorContext) => T,
  ): Promise<T> {
    const started = this.#clock.now();
    let outcome = 'ok';
    try {
      const destination = { baseUrl: account.baseUrl, proxy: account.proxy, ca: account.authorities?.text };
      const sent = { ...request, headers: { ...request.headers, ...headers } };
      const answer = await this.#pool.send(destination, sent, signal);
      this.#learnLimit(account, answer);
      const context = { upstream: called(account), now: this.#clock.now(), secrets: secretsIn(headers) };
      return read(json(answer, context), context);
    } catch (error) {
      const failure = Failure.from(error);
      outcome = failure.code;
      throw failure;
    } finally {
      this.#observer.request(account.name, outcome, this.#clock.now() - started);
    }
  }

  #learnLimit(account: Account, answer: HttpAnswer): void {
    const perMinute = Number(header(answer, 'x-ratelimit-limit'));
    if (Number.isFinite(perMinute) && perMinute > 0) this.#observer.rateLimit(account.name, perMinute);
  }
}

function json(answer: HttpAnswer, context: ErrorContext): unknown {
  if (answer.status < 200 || answer.status > 299) throw failureOf(answer, context);
  try {
    return JSON.parse(answer.body);
  } catch {
    throw unreadable(answer, context);
  }
}

function called({ name }: Account): string {
  return name === 'default' ? 'Sysdig' : `Sysdig account "${name}"`;
}

function secretsIn(headers: Headers): string[] {
  const { authorization = '' } = headers;
  return [authorization.replace(/^\S+\s+/, '')];
}
