import type { Clock } from '#src/clock.ts';
import type { Failure } from '#src/failure.ts';
import type { Dated } from '#src/sources/sysdig/broker/agenda.ts';
import type { Result } from '#src/sources/sysdig/broker/carry.ts';
import type { Inquiry } from '#src/sources/sysdig/broker/inquiry.ts';
import type { Traveller } from '#src/sources/sysdig/broker/plan.ts';
import type { Answer } from '#src/sources/sysdig/question.ts';

/** Someone who is told of every new answer. */
export interface Follower {
  readonly ttlMs: number;
  onAnswer(answer: Answer): void;
  /** The question has another entry now: its credential has changed. */
  onMoved(): void;
}

interface Flight {
  readonly promise: Promise<Answer>;
  resolve(answer: Answer): void;
  reject(failure: Failure): void;
}

const wantedMs = 60_000;
const apartMs = 600_000;
/** So many failures in a row may be the fault of those that it travelled with. */
const companyFailures = 2;
const firstBackoffMs = 5_000;
const longestBackoffMs = 60_000;
const shortestRefreshMs = 1_000;
const longestPatienceMs = 5_000;

/** What is remembered of one question: its last answer, its failures, its flight, and who wants to know. */
export class Entry implements Traveller, Dated {
  readonly inquiry: Inquiry;
  readonly lane: string;
  readonly followers = new Set<Follower>();
  /** When it is to be asked again; the agenda's. */
  dueAt: number | undefined;
  /** 0: never, only followed or looked up. */
  lastAskedAt = 0;
  /** Whether somebody waits for the flight. */
  urgent = false;
  answer: Answer | undefined;
  readonly #clock: Clock;
  #flight: Flight | undefined;
  #failure: Failure | undefined;
  #failures = 0;
  #failedUntil = 0;
  #restingUntil = 0;
  #apartUntil = 0;
  #agelessUntil = 0;
  #ttlMs = Infinity;
  #ttlAskedAt = 0;

  constructor(inquiry: Inquiry, clock: Clock) {
    this.inquiry = inquiry;
    this.lane = inquiry.question.namespace;
    this.#clock = clock;
  }

  /** Notes that it was asked; the smallest `ttlMs` of the last minute counts. */
  touch(ttlMs: number): void {
    const now = this.#clock.now();
    this.lastAskedAt = now;
    if (ttlMs > this.#ttlMs && now - this.#ttlAskedAt <= wantedMs) return;
    this.#ttlMs = ttlMs;
    this.#ttlAskedAt = now;
  }

  get isWanted(): boolean {
    return this.followers.size > 0 || this.#clock.now() - this.lastAskedAt <= wantedMs;
  }

  get isOutdated(): boolean {
    return this.inquiry.question.account.credential.version !== this.inquiry.credentialVersion;
  }

  /** The age at which an answer is asked again. */
  get refreshMs(): number {
    let ttlMs = this.#ttlMs;
    for (const follower of this.followers) ttlMs = Math.min(ttlMs, follower.ttlMs);
    return Math.max(shortestRefreshMs, ttlMs);
  }

  /** How long a refresh waits for company: rounds that carry more are fewer. */
  get patienceMs(): number {
    return Math.min(this.refreshMs / 4, longestPatienceMs);
  }

  /**
   * Whether it must not share a request: it spoilt one, or it is a written query that keeps failing with its company.
   * One that is too slow fails all of them, and only alone, by then at most once in 40 s, do the others get their answers.
   */
  get apart(): boolean {
    const keepsFailing = this.#failures > companyFailures && this.#failure?.code === 'unavailable';
    return (keepsFailing && this.inquiry.family === undefined) || this.#apartUntil > this.#clock.now();
  }

  get ageless(): boolean {
    return this.#agelessUntil > this.#clock.now();
  }

  get rows(): number | undefined {
    return this.answer?.series.length;
  }

  /** The failure since the last answer, however long ago. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Until when that failure is answered without asking; in the past when there is none. */
  get failedUntil(): number {
    return this.#failedUntil;
  }

  /** Until when the account had no room for it when it was last sent. */
  get restingUntil(): number {
    return this.#restingUntil;
  }

  get flight(): Promise<Answer> | undefined {
    return this.#flight?.promise;
  }

  /** The flight of this question, begun where there is none. */
  begin(): Promise<Answer> {
    if (!this.#flight) {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      // A refresh has nobody who waits for it.
      promise.catch(() => {});
      this.#flight = { promise, resolve, reject };
    }
    return this.#flight.promise;
  }

  /** Ends the flight. A spent rate limit is the account's affair, and no failure of this question. */
  settle({ outcome, offender, ageless }: Omit<Result<Entry>, 'member'>): void {
    const now = this.#clock.now();
    const flight = this.#flight;
    this.#flight = undefined;
    this.urgent = false;
    if (offender) this.#apartUntil = now + apartMs;
    if (ageless) this.#agelessUntil = now + apartMs;
    if (outcome instanceof Error) {
      if (outcome.code === 'rate-limited') this.#restingUntil = outcome.retryAt ?? now + firstBackoffMs;
      else this.#remember(outcome, now);
      flight?.reject(outcome);
      return;
    }
    this.answer = outcome;
    this.#failure = undefined;
    this.#failures = 0;
    this.#failedUntil = 0;
    flight?.resolve(outcome);
    for (const follower of [...this.followers]) tell(follower, outcome);
  }

  #remember(failure: Failure, now: number): void {
    this.#failure = failure;
    this.#failedUntil = now + Math.min(longestBackoffMs, firstBackoffMs * 2 ** this.#failures);
    this.#failures += 1;
  }
}

/** One follower's defect must not cost the others their answers; it meets the same answer when it asks. */
function tell(follower: Follower, answer: Answer): void {
  try {
    follower.onAnswer(answer);
  } catch {}
}
