import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { Account } from '#src/sources/sysdig/account.ts';
import type { SysdigObserver } from '#src/sources/sysdig/upstream.ts';
import { TokenBucket } from '#src/token-bucket.ts';

/** One request: told when it was sent and until when it may last. */
export type Send<T> = (sentAt: number, signal: AbortSignal) => Promise<T>;

/** `isUrgent`: whether somebody waits for it by now. */
export interface Urgency {
  isUrgent(): boolean;
}

interface Job extends Urgency {
  readonly start: () => Promise<void>;
  readonly refuse: (failure: Failure) => void;
  readonly giveUpAt: number;
}

/** A 429 that does not say how long. */
const defaultFreezeMs = 30_000;
/** A 429 whose time has passed already, by its clock or by ours: no reason to ask at once again. */
const shortestFreezeMs = 1_000;
/** What we use of the limit that Sysdig shows: others share the account. */
const shareOfLimit = 0.8;

/**
 * An account's way to Sysdig: so many requests at once, so many a minute, none while it is frozen. What has to wait
 * waits in order, questions that somebody waits for first; what would wait longer than a request may last is refused.
 */
export class Lane {
  readonly #account: Account;
  readonly #clock: Clock;
  readonly #observer: SysdigObserver;
  readonly #timeoutMs: number;
  /** In the order in which they give up. */
  readonly #waiting: Job[] = [];
  readonly #flying = new Set<AbortController>();
  #bucket: TokenBucket | undefined;
  #frozenUntil = 0;
  #cancelWake = () => {};
  #closed = false;

  constructor(parts: { account: Account; clock: Clock; observer: SysdigObserver; timeoutMs: number }) {
    this.#account = parts.account;
    this.#clock = parts.clock;
    this.#observer = parts.observer;
    this.#timeoutMs = parts.timeoutMs;
    const { requestsPerMinute } = parts.account;
    if (requestsPerMinute) this.#bucket = new TokenBucket(requestsPerMinute, parts.clock.now());
  }

  /** X-RateLimit-Limit, as it came: the operator's own budget goes first. */
  learn(perMinute: number): void {
    if (this.#account.requestsPerMinute || !(perMinute > 0)) return;
    const now = this.#clock.now();
    const budget = Math.max(1, perMinute * shareOfLimit);
    if (this.#bucket) this.#bucket.change(budget, now);
    else this.#bucket = new TokenBucket(budget, now);
  }

  /** The failure of every question while the account is frozen; undefined when it is not. */
  frozen(): Failure | undefined {
    if (this.#frozenUntil <= this.#clock.now()) return undefined;
    return new Failure(
      'rate-limited',
      `Sysdig's rate limit of account ${this.#account.name} is reached; it is asked again at ${iso(this.#frozenUntil)}`,
      { retryAt: this.#frozenUntil },
    );
  }

  /**
   * Sends when the lane has room. Rejects with what the request rejects with, `unavailable` when it lasts too long,
   * `rate-limited` (with `retryAt`) while frozen or when the budget leaves no room in time.
   */
  send<T>(request: Send<T>, { isUrgent }: Urgency): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const start = () => this.#fly(request).then(resolve, reject);
      const refusal = this.#refusal(isUrgent());
      if (refusal) return reject(refusal);
      const giveUpAt = this.#clock.now() + this.#timeoutMs;
      this.#waiting.push({ start, refuse: reject, giveUpAt, isUrgent });
      this.#pump();
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancelWake();
    this.#refuseAll(shuttingDown());
    for (const flight of this.#flying) flight.abort(shuttingDown());
  }

  #refusal(urgent: boolean): Failure | undefined {
    if (this.#closed) return shuttingDown();
    const frozen = this.frozen();
    if (frozen) return frozen;
    if (!this.#bucket) return undefined;
    const before = urgent ? this.#waiting.filter((job) => job.isUrgent()) : this.#waiting;
    const waitMs = this.#bucket.waitMs(this.#clock.now(), before.length);
    return waitMs > this.#timeoutMs ? this.#overBudget(waitMs) : undefined;
  }

  #overBudget(waitMs: number): Failure {
    const retryAt = this.#clock.now() + waitMs;
    return new Failure(
      'rate-limited',
      `the request budget of account ${this.#account.name} is used up; it has room again at ${iso(retryAt)}`,
      { retryAt },
    );
  }

  #pump(): void {
    this.#cancelWake();
    this.#giveUpLate();
    const now = this.#clock.now();
    while (this.#waiting.length > 0 && this.#flying.size < this.#account.concurrency) {
      if (this.#bucket && !this.#bucket.take(now)) break;
      void this.#next()?.start();
    }
    const [oldest] = this.#waiting;
    if (!oldest) return;
    const full = this.#flying.size >= this.#account.concurrency;
    const tokenMs = full || !this.#bucket ? Infinity : Math.max(1, this.#bucket.waitMs(now, 0));
    this.#cancelWake = this.#clock.after(Math.min(tokenMs, oldest.giveUpAt - now), () => this.#pump());
  }

  #next(): Job | undefined {
    const urgent = this.#waiting.findIndex((job) => job.isUrgent());
    return this.#waiting.splice(Math.max(0, urgent), 1)[0];
  }

  #giveUpLate(): void {
    const now = this.#clock.now();
    while (this.#waiting[0] && this.#waiting[0].giveUpAt <= now) {
      this.#waiting.shift()?.refuse(this.#tooLate());
    }
  }

  #tooLate(): Failure {
    const waitMs = this.#bucket?.waitMs(this.#clock.now(), 0) ?? 0;
    if (waitMs > 0) return this.#overBudget(waitMs);
    return new Failure(
      'unavailable',
      `all ${this.#account.concurrency} requests of account ${this.#account.name} are still waiting for Sysdig`,
    );
  }

  async #fly<T>(request: Send<T>): Promise<T> {
    const flight = new AbortController();
    this.#flying.add(flight);
    const cancelTimeout = this.#clock.after(this.#timeoutMs, () => flight.abort(this.#timeout()));
    try {
      // Not every upstream minds its signal: the lane must be free again in any case.
      return await Promise.race([request(this.#clock.now(), flight.signal), aborted(flight.signal)]);
    } catch (thrown) {
      const failure = Failure.from(flight.signal.aborted ? flight.signal.reason : thrown);
      if (failure.httpStatus !== 429) throw failure;
      const now = this.#clock.now();
      const retryAt = Math.max(failure.retryAt ?? now + defaultFreezeMs, now + shortestFreezeMs);
      this.#freeze(retryAt);
      const message = `${failure.message}; account ${this.#account.name} is asked again at ${iso(retryAt)}`;
      throw new Failure('rate-limited', message, { retryAt, httpStatus: 429, cause: failure });
    } finally {
      cancelTimeout();
      this.#flying.delete(flight);
      this.#pump();
    }
  }

  #timeout(): Failure {
    return new Failure('unavailable', `Sysdig has not answered within ${this.#timeoutMs / 1000} s`);
  }

  #freeze(until: number): void {
    if (until <= this.#frozenUntil) return;
    this.#frozenUntil = until;
    this.#observer.frozen(this.#account.name, until);
    const failure = this.frozen();
    if (failure) this.#refuseAll(failure);
  }

  #refuseAll(failure: Failure): void {
    for (const job of this.#waiting.splice(0)) job.refuse(failure);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Why nothing is asked any more. */
export function shuttingDown(): Failure {
  return new Failure('unavailable', 'the scaler is shutting down');
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
