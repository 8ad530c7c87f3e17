import type { Clock } from '#src/clock.ts';
import type { Account } from '#src/sources/sysdig/account.ts';
import { Courier } from '#src/sources/sysdig/broker/courier.ts';
import { Desk } from '#src/sources/sysdig/broker/desk.ts';
import { Entry, type Follower } from '#src/sources/sysdig/broker/entry.ts';
import { inquire } from '#src/sources/sysdig/broker/inquiry.ts';
import { shuttingDown } from '#src/sources/sysdig/broker/lane.ts';
import { Memory } from '#src/sources/sysdig/broker/memory.ts';
import type { Answer, Question, Questions } from '#src/sources/sysdig/question.ts';
import type { SysdigObserver, Upstream } from '#src/sources/sysdig/upstream.ts';

export interface BrokerParts {
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly observer: SysdigObserver;
  /** How long a request may last; also how long past its `ttlMs` a warm answer may serve. Default 30 s. */
  readonly upstreamTimeoutMs?: number;
  /** How many questions are remembered. Default 20,000. */
  readonly mostEntries?: number;
}

/** More than a clock is commonly slewed by. */
const clockStepMs = 1_000;

interface Office {
  readonly desk: Desk;
  readonly courier: Courier;
}

/**
 * Stands between many questions and few requests. Equal questions share one flight and one memory; what was asked
 * within the last minute is asked again before it goes stale, so that a warm question is answered from memory; the
 * rest is merged and batched. A flight belongs to its question: it goes on when the caller has gone.
 *
 * A warm answer is refreshed when it is a quarter older than its `ttlMs`. Until then, and while its refresh is under
 * way or the account is frozen, it is given, but never beyond `ttlMs` + `upstreamTimeoutMs`; once a refresh has
 * failed, its failure is thrown instead.
 */
export class Broker implements Questions {
  readonly #parts: BrokerParts;
  readonly #timeoutMs: number;
  #memory: Memory;
  readonly #entries = new WeakMap<Question, Entry>();
  readonly #offices = new Map<string, Office>();
  /** Limits learnt before the account was first asked. */
  readonly #limits = new Map<string, number>();
  /** The latest time that was seen. */
  #latest = 0;
  #closed = false;

  constructor(parts: BrokerParts) {
    this.#parts = parts;
    this.#timeoutMs = parts.upstreamTimeoutMs ?? 30_000;
    this.#memory = new Memory(parts.mostEntries);
  }

  ask(question: Question, ttlMs: number): Answer | Promise<Answer> {
    if (this.#closed) throw shuttingDown();
    const now = this.#now();
    const entry = this.#entryOf(question);
    const { desk, courier } = this.#officeOf(question.account);
    const tell = (how: 'memory' | 'joined' | 'cold') =>
      this.#parts.observer.asked(question.account.name, how);
    entry.touch(ttlMs);
    this.#memory.sweep(now);
    const { answer, failure } = entry;
    const ageMs = answer ? now - answer.askedAt : Infinity;
    if (answer && (ageMs <= ttlMs || (!failure && ageMs <= ttlMs + this.#timeoutMs))) {
      tell('memory');
      desk.keepWarm(entry);
      return answer;
    }
    if (failure && now < entry.failedUntil) {
      tell('memory');
      desk.keepWarm(entry);
      throw failure;
    }
    const frozen = courier.lane.frozen();
    if (frozen && !entry.flight) {
      tell('memory');
      throw frozen;
    }
    tell(entry.flight ? 'joined' : 'cold');
    entry.urgent = true;
    return desk.admit(entry);
  }

  recollect(question: Question): Answer | undefined {
    return this.#entryOf(question).answer;
  }

  follow(question: Question, ttlMs: number, onAnswer: (answer: Answer) => void, signal: AbortSignal): void {
    if (signal.aborted || this.#closed) return;
    const now = this.#now();
    const entry = this.#entryOf(question);
    const leave = () => entry.followers.delete(follower);
    const follower: Follower = {
      ttlMs,
      onAnswer,
      onMoved: () => {
        leave();
        signal.removeEventListener('abort', leave);
        this.follow(question, ttlMs, onAnswer, signal);
      },
    };
    signal.addEventListener('abort', leave, { once: true });
    entry.followers.add(follower);
    if (entry.answer && now - entry.answer.askedAt <= ttlMs) onAnswer(entry.answer);
    this.#officeOf(question.account).desk.keepWarm(entry);
  }

  /** X-RateLimit-Limit as Sysdig showed it: 80% of it become the account's budget, where the operator set none. */
  learnRateLimit(account: string, perMinute: number): void {
    this.#limits.set(account, perMinute);
    this.#offices.get(account)?.courier.lane.learn(perMinute);
  }

  /** Ends every flight and every wait with `unavailable`. */
  close(): void {
    this.#closed = true;
    for (const { desk, courier } of this.#offices.values()) {
      for (const entry of desk.close()) courier.refuse(entry);
      courier.lane.close();
    }
  }

  #now(): number {
    const now = this.#parts.clock.now();
    if (now < this.#latest - clockStepMs) this.#startOver();
    this.#latest = now;
    return now;
  }

  /**
   * The clock was set back: every time that was noted lies ahead, and until it comes again nothing would be due and no
   * answer old. What is under way goes on to its end; all else begins anew.
   */
  #startOver(): void {
    for (const { desk, courier } of this.#offices.values()) courier.take(desk.close());
    this.#offices.clear();
    const before = this.#memory.all();
    this.#memory = new Memory(this.#parts.mostEntries);
    this.#latest = 0;
    for (const { followers } of before) for (const follower of [...followers]) follower.onMoved();
  }

  /** Found by the question itself where it is the same object as before: reading it costs more than all the rest. */
  #entryOf(question: Question): Entry {
    const before = this.#entries.get(question);
    if (before && !before.isOutdated && this.#memory.holds(before)) return before;
    const inquiry = inquire(question);
    let entry = this.#memory.get(inquiry.key);
    if (!entry) {
      entry = new Entry(inquiry, this.#parts.clock);
      this.#memory.add(entry, this.#parts.clock.now());
    }
    this.#entries.set(question, entry);
    return entry;
  }

  #officeOf(account: Account): Office {
    const before = this.#offices.get(account.name);
    if (before) return before;
    const { upstream, clock, observer } = this.#parts;
    const desk = new Desk({ clock, depart: (entries) => courier.take(entries) });
    const courier = new Courier({
      account,
      upstream,
      clock,
      observer,
      timeoutMs: this.#timeoutMs,
      settle: ({ member, ...result }) => {
        member.settle(result);
        desk.keepWarm(member);
      },
    });
    const limit = this.#limits.get(account.name);
    if (limit !== undefined) courier.lane.learn(limit);
    const office = { desk, courier };
    this.#offices.set(account.name, office);
    return office;
  }
}
