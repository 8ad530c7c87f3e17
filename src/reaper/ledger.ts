import type { NamedWorkload } from '#src/alerts/alert.ts';
import { workloadOf } from '#src/cluster/owner-chains.ts';
import type { DecisionSubject, Entry, ReapSubject } from '#src/journal/entry.ts';

interface Noted<S> {
  readonly subject: S;
  readonly at: number;
}

export type NotedReap = Noted<ReapSubject>;

interface Attack {
  replicas: number;
  lastAlertAt: number;
}

/** Without an alert for so long, the next one begins another attack. */
const attackEndsMs = 5 * 60_000;
const keptMs = 3_600_000;

/** What the reaper has to know of the past, out of the journal alone: a restart, or another replica, knows the same. */
export class Ledger {
  readonly #reaps = new Map<string, NotedReap>();
  /** Decided, and not known to be done. */
  readonly #intents = new Map<string, Noted<DecisionSubject>>();
  readonly #recreated = new Set<string>();
  /** What dry-run would have taken away: it counts as if it had. */
  readonly #imagined = new Map<string, Noted<DecisionSubject>>();
  readonly #attacks = new Map<string, Attack>();
  readonly #disarmed = new Map<string, { readonly since: number; readonly reason: string }>();

  record(entries: readonly Entry[]): void {
    for (const { subject, at } of entries) {
      if (subject.kind === 'reap') {
        this.#reaps.set(subject.podUid, { subject, at });
        this.#intents.delete(subject.podUid);
      } else if (subject.kind === 'recreation') {
        this.#recreated.add(subject.podUid);
      } else if (subject.kind === 'attack') {
        this.#attacks.set(workloadKey(subject.namespace, subject.workload), {
          replicas: subject.replicas,
          lastAlertAt: at,
        });
      } else if (subject.kind === 'arming') {
        if (subject.isArmed) this.#disarmed.delete(subject.rule);
        // Written again, it has not begun again.
        else if (!this.#disarmed.has(subject.rule))
          this.#disarmed.set(subject.rule, { since: at, reason: subject.reason });
      } else if (subject.kind === 'decision') {
        if (subject.verdict === 'reap' && !this.#reaps.has(subject.podUid)) {
          this.#intents.set(subject.podUid, { subject, at });
        }
        // It came to nothing.
        if (subject.verdict === 'skip') this.#intents.delete(subject.podUid);
        if (subject.verdict === 'would-reap') this.#imagined.set(subject.podUid, { subject, at });
      } else {
        const { namespace, found } = subject;
        const workload = workloadOf(found?.owners ?? []);
        const attack = workload && this.#attacks.get(workloadKey(namespace, workload));
        if (attack !== undefined && at > attack.lastAlertAt && at - attack.lastAlertAt < attackEndsMs)
          attack.lastAlertAt = at;
      }
    }
  }

  /** UIDs of all that was, or in dry-run would have been, taken away within `withinMs`, with their workloads. */
  *recent(withinMs: number, now: number): Generator<{ uid: string; workload: string }> {
    for (const noted of [this.#reaps, this.#imagined]) {
      for (const [uid, { subject, at }] of noted) {
        if (now - at >= withinMs) continue;
        const workload = workloadOf(subject.owners);
        yield { uid, workload: workload === undefined ? '' : workloadKey(subject.namespace, workload) };
      }
    }
  }

  /** Decisions to reap of which nobody knows whether they were carried out. */
  get intents(): readonly Noted<DecisionSubject>[] {
    return [...this.#intents.values()];
  }

  /** It was not carried out, and will not be. */
  dropIntent(uid: string): void {
    this.#intents.delete(uid);
  }

  /** Reaped pods whose place has not been taken. */
  get open(): readonly NotedReap[] {
    return [...this.#reaps.values()].filter(({ subject }) => !this.#recreated.has(subject.podUid));
  }

  /** `spec.replicas` when the attack that is going on began; undefined while there is none. */
  replicasBefore(workload: string, now: number): number | undefined {
    const attack = this.#attacks.get(workload);
    return attack === undefined || now - attack.lastAlertAt >= attackEndsMs ? undefined : attack.replicas;
  }

  /** Rules that do not count now, with the time since when and why. */
  get disarmed(): ReadonlyMap<string, { readonly since: number; readonly reason: string }> {
    return this.#disarmed;
  }

  tidy(now: number): void {
    for (const noted of [this.#reaps, this.#imagined, this.#intents]) {
      for (const [uid, { at }] of noted) {
        if (now - at < keptMs) continue;
        noted.delete(uid);
        this.#recreated.delete(uid);
      }
    }
    for (const [workload, { lastAlertAt }] of this.#attacks) {
      if (now - lastAlertAt >= attackEndsMs) this.#attacks.delete(workload);
    }
  }
}

export function workloadKey(namespace: string, { kind, name }: NamedWorkload): string {
  return `${namespace}/${kind}/${name}`;
}
