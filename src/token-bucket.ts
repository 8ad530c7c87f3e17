/** A quarter of a minute's budget may be spent at once, so that a round of refreshes does not have to trickle. */
const burstShare = 1 / 4;

/**
 * A requests-per-minute budget. With 80% of a limit as its budget, no minute, wherever it begins, holds more than the
 * limit: 0.8 that flow in, and the 0.2 of a full bucket.
 */
export class TokenBucket {
  #perMinute: number;
  #tokens: number;
  #at: number;

  constructor(perMinute: number, now: number) {
    this.#perMinute = perMinute;
    this.#tokens = this.#capacity;
    this.#at = now;
  }

  change(perMinute: number, now: number): void {
    this.#flow(now);
    this.#perMinute = perMinute;
    this.#tokens = Math.min(this.#tokens, this.#capacity);
  }

  /** Takes one token if there is one. */
  take(now: number): boolean {
    this.#flow(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** How long until a request with so many before it can have its token, in ms. */
  waitMs(now: number, before: number): number {
    this.#flow(now);
    return Math.max(0, Math.ceil(((before + 1 - this.#tokens) * 60_000) / this.#perMinute));
  }

  #flow(now: number): void {
    const gained = (Math.max(0, now - this.#at) * this.#perMinute) / 60_000;
    this.#tokens = Math.min(this.#capacity, this.#tokens + gained);
    this.#at = now;
  }

  get #capacity(): number {
    return Math.max(1, this.#perMinute * burstShare);
  }
}
