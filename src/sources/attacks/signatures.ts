import { type AlertSubject, mayAct } from '#src/alerts/alert.ts';
import type { Signature } from '#src/alerts/alert-filter.ts';

/** One object for each distinct signature, bounded: rules and tags are a sender's words. */
export class Signatures {
  readonly #known = new Map<string, { signature: Signature; newest: number }>();
  readonly #most: number;
  readonly #onOverflow: () => void;

  /** `most`: how many are told apart; those beyond keep only their priority. */
  constructor(most: number, onOverflow: () => void) {
    this.#most = most;
    this.#onOverflow = onOverflow;
  }

  of(subject: AlertSubject, at: number): Signature {
    const { rule, priority, source, tags } = subject;
    return this.#of({ rule, priority, source, tags, mayAct: mayAct(subject) }, at);
  }

  #of(signature: Signature, at: number): Signature {
    const { rule, priority, source, tags, mayAct: acts } = signature;
    const key = JSON.stringify([rule, priority, source, tags, acts]);
    let known = this.#known.get(key);
    if (known === undefined) {
      if (this.#known.size >= this.#most && rule !== '') {
        this.#onOverflow();
        return this.#of({ ...signature, rule: '', source: '', tags: [] }, at);
      }
      known = { signature, newest: at };
      this.#known.set(key, known);
    }
    if (at > known.newest) known.newest = at;
    return known.signature;
  }

  /** Forgets those that nothing since `from` had. */
  tidy(from: number): void {
    for (const [key, { newest }] of this.#known) if (newest < from) this.#known.delete(key);
  }
}
