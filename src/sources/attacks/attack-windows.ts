import type { AlertSubject } from '#src/alerts/alert.ts';
import type { Signature } from '#src/alerts/alert-filter.ts';
import type { Entry, Subject } from '#src/journal/entry.ts';
import { floorTo, mostAheadMs, tickMs } from '#src/journal/resolution.ts';
import { foundOwners, guessedOwners, namedOwner, type Owner } from '#src/sources/attacks/owners.ts';
import { clamp, noteSeen, type Pod, Pods } from '#src/sources/attacks/pods.ts';
import { Signatures } from '#src/sources/attacks/signatures.ts';
import type { View } from '#src/sources/attacks/view.ts';
import { Views } from '#src/sources/attacks/views.ts';
import { WorkloadHistory } from '#src/sources/attacks/workload-history.ts';
import type { AttackQuestion } from '#src/sources/attacks.ts';

/** Told of what the windows cannot hold. */
export interface AttackObserver {
  /** Alerts that were older than anything that can be asked for. */
  late(alerts: number): void;
  /** Pods that are no longer tracked one by one, as there are too many. */
  folded(pods: number): void;
  /** An alert whose rule and tags were given up, as there are too many. */
  overflowed(): void;
}

export interface AttackWindowsOptions {
  readonly observer: AttackObserver;
  /** How long anything is remembered. */
  readonly retentionMs: number;
  /** Pods that are told apart; 200,000 unless told. */
  readonly mostPods?: number;
  /** Signatures that are told apart; 4,096 unless told. */
  readonly mostSignatures?: number;
}

/** What a subject is, found once: subjects come again and again as the same objects. */
interface Resolved {
  readonly histories: readonly WorkloadHistory[];
  signature: Signature;
  pod: Pod | undefined;
  /** The tidying that it was last checked at. */
  tidying: number;
}

/** What happened to which workload, and the views of it that somebody asks for. */
export class AttackWindows {
  readonly #options: AttackWindowsOptions;
  readonly #mostPods: number;
  readonly #pods = new Pods();
  readonly #signatures: Signatures;
  readonly #resolved = new Map<Subject, Resolved>();
  /** By namespace and name; those of different kinds side by side. */
  readonly #histories = new Map<string, WorkloadHistory[]>();
  readonly #views = new Views();
  #newest = 0;
  #tidying = 0;
  #tidiedAt = 0;

  constructor(options: AttackWindowsOptions) {
    this.#options = options;
    this.#mostPods = options.mostPods ?? 200_000;
    this.#signatures = new Signatures(options.mostSignatures ?? 4_096, () => options.observer.overflowed());
  }

  /** Takes entries of the journal in. */
  record(entries: readonly Entry[], now: number): void {
    this.#noticeClock(now);
    if (now - this.#tidiedAt >= 60_000) this.tidy(now);
    const oldest = now - this.#options.retentionMs;
    for (const { subject, at, count } of entries) {
      if (subject.kind !== 'alert') this.#note(subject, at, now);
      else if (at < oldest) this.#options.observer.late(count);
      else this.#take(subject, at > now + mostAheadMs ? floorTo(tickMs, now) : at, count, now);
    }
  }

  /** The view that answers a question, brought to this time. Whoever asks seldom asks again: it may have been dropped. */
  view(question: AttackQuestion, now: number): View {
    const view = this.#views.of(question, now, (name) => this.#histories.get(name) ?? []);
    return this.refresh(view, now);
  }

  /** The same for a view at hand, unless it has been dropped (`isDetached`). */
  refresh(view: View, now: number): View {
    this.#noticeClock(now);
    view.askedAt = now;
    view.advance(now);
    return view;
  }

  /** For people and metrics. */
  get size(): { pods: number; workloads: number; views: number } {
    return { pods: this.#pods.size, workloads: this.#histories.size, views: this.#views.size };
  }

  /** Upkeep, about once a minute: forgets what is too old, and views that nobody asks for. */
  tidy(now: number): void {
    this.#tidiedAt = now;
    this.#tidying++;
    // A little more than is asked for, should the clock be set back.
    const from = now - this.#options.retentionMs - mostAheadMs;
    this.#views.tidy(now);
    for (const pod of this.#pods) if (pod.last < from) this.#forget(pod);
    for (const [subject, { pod }] of this.#resolved)
      if (pod?.namesakes.length === 0) this.#resolved.delete(subject);
    for (const [key, histories] of this.#histories) {
      for (const history of histories) history.tidy(now, from);
      const kept = histories.filter((history) => !history.isEmpty || history.views.size > 0);
      if (kept.length === 0) this.#histories.delete(key);
      else if (kept.length < histories.length) this.#histories.set(key, kept);
    }
    this.#signatures.tidy(from);
  }

  /** What was done about an attack. */
  #note(subject: Exclude<Subject, AlertSubject>, at: number, now: number): void {
    if (subject.kind !== 'reap' && subject.kind !== 'recreation') return;
    const { namespace, pod, podUid: uid } = subject;
    for (const owner of foundOwners({ uid, owners: subject.owners }, pod)) {
      const history = this.#history(namespace, owner, now);
      if (subject.kind === 'reap') {
        history.reaped.set(uid, { uid, at });
      } else {
        const { outcome, tookMs, sinceAlertMs } = subject;
        history.recreated.set(uid, { uid, at, outcome, tookMs, sinceAlertMs });
      }
      for (const view of history.views) for (const tell of view.watchers) tell();
    }
  }

  #take(subject: AlertSubject, at: number, count: number, now: number): void {
    const resolved = this.#resolve(subject, at, now);
    const { signature, histories } = resolved;
    // First: whoever counts anew because the clock was set back must not find this alert yet.
    for (const { views } of histories) for (const view of views) view.advance(now);
    const pod = this.#podOf(resolved, subject, at, now);
    noteSeen(pod, signature, at);
    if (at > this.#newest) this.#newest = at;
    for (const history of histories) {
      if (!history.pods.has(pod)) {
        history.pods.add(pod);
        pod.histories = pod.histories.length === 0 ? history.alone : pod.histories.concat(history);
      }
      history.count(signature, at, count);
      for (const view of history.views) {
        if (!view.matches(signature)) continue;
        view.record(pod, at, count);
        for (const tell of view.watchers) tell();
      }
    }
    if (this.#pods.size > this.#mostPods) this.#fold();
  }

  #ownersOf({ namespace, pod, workload, found }: AlertSubject): readonly Owner[] {
    if (found !== undefined) return foundOwners(found, pod);
    return workload === undefined ? guessedOwners.of({ namespace, name: pod }) : [namedOwner(workload)];
  }

  #resolve(subject: AlertSubject, at: number, now: number): Resolved {
    const known = this.#resolved.get(subject);
    if (known?.tidying === this.#tidying) return known;
    const { namespace } = subject;
    const histories = this.#ownersOf(subject).map((owner) => this.#history(namespace, owner, now));
    const resolved: Resolved = {
      histories: histories.length === 1 ? (histories[0]?.alone ?? []) : histories,
      signature: this.#signatures.of(subject, at),
      pod: undefined,
      tidying: this.#tidying,
    };
    // One with an identity does not come again.
    if (subject.id === undefined) this.#resolved.set(subject, resolved);
    return resolved;
  }

  #podOf(
    resolved: Resolved,
    { namespace, pod: name, podUid, found }: AlertSubject,
    at: number,
    now: number,
  ): Pod {
    const { pod } = resolved;
    const uid = podUid ?? found?.uid;
    const oldest = now - this.#options.retentionMs;
    // With a UID, or without namesakes, it is always the same.
    const isTracked = pod !== undefined && pod.namesakes.length > 0 && pod.last >= oldest;
    if (isTracked && (uid !== undefined || pod.namesakes.length === 1)) return pod;
    // Whoever had no alert for so long is forgotten, and begins anew as another pod.
    for (const one of this.#pods.namesakes(namespace, name)) if (one.last < oldest) this.#forget(one);
    resolved.pod = this.#pods.find({ namespace, name, uid, at });
    return resolved.pod;
  }

  #history(namespace: string, owner: Owner, now: number): WorkloadHistory {
    const key = `${namespace}/${owner.name}`;
    const histories = this.#histories.get(key) ?? [];
    const found = histories.find((history) => sameKinds(history.owner, owner));
    if (found !== undefined) return found;
    const history = new WorkloadHistory(namespace, owner);
    this.#histories.set(key, [...histories, history]);
    this.#views.connect(key, history, now);
    return history;
  }

  #forget(pod: Pod): void {
    this.#pods.remove(pod);
    for (const history of pod.histories) {
      history.pods.delete(pod);
      for (const view of history.views) view.drop(pod);
    }
  }

  /**
   * Lets go of the hundredth whose last alert is oldest: their alerts go on counting, they themselves do not. Workloads
   * that nobody asks about and that have no pod left go with them.
   */
  #fold(): void {
    const lasts = Float64Array.from(this.#pods, ({ last }) => last).sort();
    const upTo = lasts[Math.max(lasts.length - this.#mostPods, Math.floor(this.#mostPods / 100)) - 1] ?? 0;
    let folded = 0;
    for (const pod of this.#pods) {
      if (pod.last > upTo) continue;
      folded++;
      for (const history of pod.histories) history.foldedLast = Math.max(history.foldedLast, pod.last);
      this.#forget(pod);
    }
    for (const [key, histories] of this.#histories) {
      if (histories.every(({ pods, views }) => pods.size === 0 && views.size === 0))
        this.#histories.delete(key);
    }
    this.#tidying++;
    this.#options.observer.folded(folded);
  }

  /**
   * A clock that was set back: what now lies further ahead than any sender's clock may be is taken to lie just so far.
   * Earlier and later stay earlier and later by that, so that first and last alerts are still the right ones.
   */
  #noticeClock(now: number): void {
    const latest = floorTo(tickMs, now + mostAheadMs);
    if (this.#newest <= latest) return;
    for (const pod of this.#pods) clamp(pod, latest);
    for (const histories of this.#histories.values()) for (const history of histories) history.clamp(latest);
    this.#newest = latest;
    this.#views.rebuild(now);
  }
}

function sameKinds(a: Owner, b: Owner): boolean {
  if ((a.isCertain ?? false) !== (b.isCertain ?? false)) return false;
  return a.kinds.length === b.kinds.length && a.kinds.every((kind, index) => kind === b.kinds[index]);
}
