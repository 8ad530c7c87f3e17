import { Failure } from '#src/failure.ts';
import type { Credential } from '#src/sources/sysdig/credential.ts';
import { type ErrorContext, failureOf, unreadable, whatItSays } from '#src/sources/sysdig/errors.ts';
import type { HttpAnswer, HttpPool } from '#src/sources/sysdig/http-pool.ts';
import { type SecretFileOptions, secretIn } from '#src/sources/sysdig/token-file.ts';
import { WatchedFile } from '#src/watched-file.ts';

export interface IbmIamOptions extends SecretFileOptions {
  readonly pool: HttpPool;
  /** Without a trailing slash: `https://iam.cloud.ibm.com`. */
  readonly iamUrl: string;
  /** The GUID of the Monitoring instance. */
  readonly instanceId: string;
  readonly teamId: string | undefined;
  readonly proxy: string | undefined;
  /** The certificates (PEM) that IAM's is checked against; undefined: the system's. */
  readonly authorities: WatchedFile | undefined;
}

interface AccessToken {
  readonly token: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  readonly issuedAt: number;
  /** Of the API key that it was issued for. */
  readonly keyVersion: number;
}

const earlyMs = 5 * 60_000;
/** Many questions ask at once: one answer of IAM, good or bad, does for all of them that long. */
const pauseMs = 10_000;

/**
 * An API key in a file, exchanged for tokens of an hour (IBM Cloud documentation: Monitoring API, IAM tokens). A token
 * is renewed 5 minutes early, and the old one serves until the new one is there. The version is the key's, so a
 * renewal forgets no answers.
 */
export class IbmIam implements Credential {
  readonly #options: IbmIamOptions;
  readonly #file: WatchedFile;
  #current: AccessToken | undefined;
  #flight: Promise<AccessToken> | undefined;
  #failed: { at: number; failure: Failure; keyVersion: number } | undefined;
  readonly #closing = new AbortController();

  constructor(options: IbmIamOptions) {
    this.#options = options;
    const { path, clock, log } = options;
    this.#file = new WatchedFile({
      path,
      clock,
      log,
      holds: 'the IBM Cloud API key',
      absence: 'unauthenticated',
    });
  }

  get version(): number {
    return this.#file.version;
  }

  async headers(signal: AbortSignal): Promise<Record<string, string>> {
    const { clock, instanceId, teamId } = this.#options;
    const current = this.#current;
    const lastsMs = current?.keyVersion === this.version ? current.expiresAt - clock.now() : 0;
    let token = current?.token ?? '';
    if (lastsMs <= 0) ({ token } = await unlessAborted(this.#exchange(), signal));
    else if (lastsMs <= earlyMs) this.#exchange().catch(() => {});
    return {
      authorization: `Bearer ${token}`,
      ibminstanceid: instanceId,
      ...(teamId !== undefined && { sysdigteamid: teamId }),
    };
  }

  /** A token that was issued just now is not exchanged again: what is wrong then is not its age. */
  async renew(signal: AbortSignal): Promise<boolean> {
    await this.#file.look();
    const current = this.#current;
    const isFresh = current !== undefined && this.#isRecent(current.issuedAt);
    if (isFresh && current.keyVersion === this.version) return false;
    const renewed = await unlessAborted(this.#exchange(), signal);
    return renewed.token !== current?.token;
  }

  /** A time that lies ahead was noted by a clock that has been set back since. */
  #isRecent(at: number): boolean {
    return Math.abs(this.#options.clock.now() - at) < pauseMs;
  }

  close(): void {
    this.#file.close();
    this.#closing.abort();
  }

  /** Single flight. A failure is remembered for 10 s, unless the key changes. */
  #exchange(): Promise<AccessToken> {
    if (this.#flight !== undefined) return this.#flight;
    const { clock, log } = this.#options;
    const keyVersion = this.version;
    const failed = this.#failed;
    if (failed !== undefined && failed.keyVersion === keyVersion && this.#isRecent(failed.at)) {
      return Promise.reject(failed.failure);
    }
    this.#flight = this.#ask(keyVersion)
      .then((token) => {
        this.#current = token;
        this.#failed = undefined;
        return token;
      })
      .catch((error) => {
        const failure = Failure.from(error);
        this.#failed = { at: clock.now(), failure, keyVersion };
        log.warn({ file: this.#file.path, reason: failure.message }, 'IBM IAM gave no token');
        throw failure;
      })
      .finally(() => {
        this.#flight = undefined;
      });
    return this.#flight;
  }

  async #ask(keyVersion: number): Promise<AccessToken> {
    const { pool, iamUrl, clock, proxy, authorities } = this.#options;
    const apikey = secretIn(this.#file);
    const form = new URLSearchParams({ grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey });
    const issuedAt = clock.now();
    const answer = await pool.send(
      { baseUrl: iamUrl, proxy, ca: authorities?.text },
      {
        method: 'POST',
        path: '/identity/token',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
      },
      this.#closing.signal,
    );
    const context: ErrorContext = { upstream: 'IBM IAM', now: clock.now(), secrets: [apikey] };
    if (answer.status !== 200) throw this.#refusal(answer, context);
    const { access_token: token, expiration } = fields(answer.body);
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token) || typeof expiration !== 'number') {
      // Its body is not quoted: it may hold a token.
      throw unreadable(
        { ...answer, body: '' },
        { ...context, upstream: 'IBM IAM (expected access_token and expiration)' },
      );
    }
    return { token, expiresAt: expiration * 1000, issuedAt, keyVersion };
  }

  /** IAM says 400 to an unknown key: the account is at fault, not the query that happened to need a token. */
  #refusal(answer: HttpAnswer, context: ErrorContext): Failure {
    const { status } = answer;
    const said = whatItSays(answer, context);
    if (said.html || ![400, 401, 403].includes(status)) return failureOf(answer, context);
    return new Failure(
      'unauthenticated',
      `IBM IAM does not accept the API key in ${this.#file.path} (${status}): ${said.text}; expected a key of the user or service id that may read the instance`,
      { httpStatus: status },
    );
  }
}

function fields(body: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}

/** The flight belongs to all who wait: one who leaves ends only his own waiting. */
function unlessAborted<T>(flight: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(new Failure('unavailable', 'the wait for an IBM IAM token was cancelled'));
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    flight.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
