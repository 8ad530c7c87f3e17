import type { AlertSubject } from '#src/alerts/alert.ts';
import type { Entry } from '#src/journal/entry.ts';

interface Generations {
  young: Set<string>;
  old: Set<string>;
}

type Identified = Pick<AlertSubject, 'sender' | 'namespace' | 'id'>;

/**
 * The identities that have been counted, for senders that say again what they have said: Alertmanager with every
 * notification, Sysdig's forwarder after a 503.
 *
 * An identity is remembered as soon as its alert counts, also if it could not be written: a failed write has been
 * counted in memory and is written later (see `Records.record`), so the sender's retry must not count again. Only the
 * answer waits until it is durable (`LastingRecords.settled`). If the process dies before that, the memory of the identity
 * dies with the count, and the retry counts.
 *
 * The namespace is part of an identity, so that who may speak for one namespace cannot silence another's alerts. Of each
 * sender between half of `most` and all of it are remembered; what was repeated lately stays longest.
 */
export class Repeats {
  readonly #mostYoung: number;
  readonly #bySender = new Map<string, Generations>();

  constructor(most = 200_000) {
    this.#mostYoung = Math.max(1, Math.floor(most / 2));
  }

  /** Whether this has been counted before; from now on it has. False for what has no identity. */
  isRepeat(alert: Identified): boolean {
    if (alert.id === undefined) return false;
    const generations = this.#of(alert.sender);
    const key = keyOf(alert);
    if (generations.young.has(key)) return true;
    const isKnown = generations.old.delete(key);
    this.#remember(generations, key);
    return isKnown;
  }

  /** Its alert is over: should it come again, it is another. */
  forget(alert: Identified): void {
    if (alert.id === undefined) return;
    const { young, old } = this.#of(alert.sender);
    const key = keyOf(alert);
    young.delete(key);
    old.delete(key);
  }

  /** Takes from the journal what an earlier process, or another replica, has counted. */
  learn(entries: readonly Entry[]): void {
    for (const { subject } of entries) {
      if (subject.kind === 'alert' && subject.id !== undefined) this.isRepeat(subject);
    }
  }

  #of(sender: string): Generations {
    let generations = this.#bySender.get(sender);
    if (generations === undefined) {
      generations = { young: new Set(), old: new Set() };
      this.#bySender.set(sender, generations);
    }
    return generations;
  }

  #remember(generations: Generations, key: string): void {
    if (generations.young.size >= this.#mostYoung) {
      generations.old = generations.young;
      generations.young = new Set();
    }
    generations.young.add(key);
  }
}

/** A namespace holds no blanks, so what stands before the first is it. */
function keyOf({ namespace, id }: Identified): string {
  return `${namespace} ${id}`;
}
