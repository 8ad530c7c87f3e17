import type { Clock } from '#src/clock.ts';
import type { ClusterPod } from '#src/cluster/cluster-pod.ts';
import type { LivePods } from '#src/cluster/live-pods.ts';
import type { ClusterWorkload, Objects } from '#src/cluster/objects.ts';
import { workloadOf } from '#src/cluster/owner-chains.ts';
import type { Workloads } from '#src/cluster/workloads.ts';
import { Failure } from '#src/failure.ts';
import { type Entry, overdueMs, type RecreationSubject } from '#src/journal/entry.ts';
import { floorTo, tickMs } from '#src/journal/resolution.ts';
import type { Log } from '#src/log.ts';
import { type Ledger, type NotedReap, workloadKey } from '#src/reaper/ledger.ts';

export interface RecreationsParts {
  readonly ledger: Ledger;
  readonly workloads: Pick<Workloads, 'follow'>;
  readonly objects: Pick<Objects, 'read'>;
  readonly record: (entries: readonly Entry[]) => Promise<void>;
  readonly observer: { recreated(outcome: string): void };
  readonly isElected: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Pods of one workload whose places are to be taken again. */
interface Watching {
  readonly pods: LivePods;
  /** `spec.replicas`; the least that was seen. */
  replicas: number | undefined;
  readonly end: () => void;
}

/** The API server tells a pod's age in whole seconds. */
const secondMs = 1_000;
const lookMs = 2_000;
const unseen = 'cannot see who takes the places of reaped pods';

/** Observes how long it takes until a reaped pod's place is taken by another that is Ready. */
export class Recreations {
  readonly #parts: RecreationsParts;
  readonly #watching = new Map<string, Watching>();
  /** Which pod takes whose place, by UID. */
  readonly #pairs = new Map<string, string>();
  readonly #told = new Set<string>();
  #stopTimer: (() => void) | undefined;
  #stopped = false;

  constructor(parts: RecreationsParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopTimer = this.#parts.clock.after(lookMs, () => {
      void this.#lookAround().finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer?.();
    for (const { end } of this.#watching.values()) end();
    this.#watching.clear();
  }

  /** A pod is about to be reaped: whatever comes after it is to be seen. Never rejects, as that is no reason to leave it. */
  async expect(workload: ClusterWorkload): Promise<void> {
    try {
      await this.#watch(workload.namespace, workload);
    } catch (thrown) {
      this.#parts.log.debug({ workload: workload.name, reason: Failure.from(thrown).message }, unseen);
    }
  }

  async #lookAround(): Promise<void> {
    const { ledger, isElected, log } = this.#parts;
    if (!isElected()) return;
    const open = new Map<string, NotedReap[]>();
    const uids = new Set(ledger.open.map(({ subject }) => subject.podUid));
    for (const uid of this.#told) if (!uids.has(uid)) this.#told.delete(uid);
    for (const reap of ledger.open) {
      const workload = workloadOf(reap.subject.owners);
      if (workload === undefined) continue;
      const key = workloadKey(reap.subject.namespace, workload);
      open.set(key, [...(open.get(key) ?? []), reap]);
    }
    for (const [key, { end }] of this.#watching) {
      if (open.has(key)) continue;
      end();
      this.#watching.delete(key);
    }
    for (const [key, reaps] of open) {
      try {
        await this.#lookAt(key, reaps);
      } catch (thrown) {
        log.debug({ workload: key, reason: Failure.from(thrown).message }, unseen);
      }
      for (const reap of reaps)
        if (this.#parts.clock.now() - reap.at >= overdueMs) this.#finish(reap, 'overdue', undefined);
    }
  }

  async #lookAt(key: string, reaps: readonly NotedReap[]): Promise<void> {
    const [first] = reaps;
    const named = workloadOf(first?.subject.owners ?? []);
    if (first === undefined || named === undefined) return;
    const { namespace } = first.subject;
    const watching = this.#watching.get(key) ?? (await this.#watch(namespace, named));
    const now = await this.#parts.objects.read(watching.pods.workload, namespace);
    const replicas = now?.replicas;
    if (replicas !== undefined && watching.replicas !== undefined && replicas < watching.replicas) {
      watching.replicas = replicas;
      for (const reap of reaps) this.#finish(reap, 'cancelled', undefined);
      return;
    }
    watching.replicas = replicas;
    this.#pair(reaps, watching.pods.all);
  }

  async #watch(namespace: string, { kind, name }: { kind: string; name: string }): Promise<Watching> {
    const { workloads, ledger, log } = this.#parts;
    const key = workloadKey(namespace, { kind: kind.toLowerCase(), name });
    const known = this.#watching.get(key);
    if (known !== undefined) return known;
    const pods = await workloads.follow({ namespace, kind: kind.toLowerCase(), name });
    // What happens between two looks is seen when it happens.
    const end = pods.onChange(() => {
      const reaps = ledger.open.filter(({ subject }) => {
        const workload = workloadOf(subject.owners);
        return workload !== undefined && workloadKey(subject.namespace, workload) === key;
      });
      try {
        this.#pair(reaps, pods.all);
      } catch (thrown) {
        log.debug({ workload: key, reason: Failure.from(thrown).message }, unseen);
      }
    });
    const watching: Watching = { pods, replicas: pods.workload.replicas, end };
    this.#watching.set(key, watching);
    return watching;
  }

  /** The first that was made after a reap, and takes no other's place, takes its place. */
  #pair(reaps: readonly NotedReap[], pods: readonly ClusterPod[]): void {
    if (!this.#parts.isElected()) return;
    const living = new Map(pods.filter(({ isLeaving }) => !isLeaving).map((pod) => [pod.uid, pod]));
    for (const [reaped, by] of this.#pairs) if (!living.has(by)) this.#pairs.delete(reaped);
    const taken = new Set(this.#pairs.values());
    const byAge = [...living.values()].sort((a, b) => a.createdAt - b.createdAt);
    for (const reap of [...reaps].sort((a, b) => a.at - b.at)) {
      const { podUid } = reap.subject;
      let by = this.#pairs.get(podUid);
      if (by === undefined) {
        const from = floorTo(secondMs, reap.at);
        by = byAge.find(({ uid, createdAt }) => createdAt >= from && uid !== podUid && !taken.has(uid))?.uid;
        if (by === undefined) continue;
        this.#pairs.set(podUid, by);
        taken.add(by);
      }
      const replacement = living.get(by);
      if (replacement?.isReady) this.#finish(reap, 'ready', replacement);
    }
  }

  #finish(reap: NotedReap, outcome: RecreationSubject['outcome'], replacement: ClusterPod | undefined): void {
    const { subject, at } = reap;
    const { namespace, pod, podUid, owners, firstAlertAt } = subject;
    if (this.#told.has(podUid)) return;
    this.#told.add(podUid);
    const { record, observer, clock, log } = this.#parts;
    const now = clock.now();
    // Seen at once, unless nobody looked: then the API server's whole seconds must do.
    const readyAt = Math.min(now, (replacement?.readyAt ?? now) + secondMs);
    const endedAt = outcome === 'overdue' ? at + overdueMs : Math.max(at, readyAt);
    const tookMs = endedAt - at;
    const sinceAlertMs = Math.max(tookMs, endedAt - firstAlertAt);
    observer.recreated(outcome);
    log.info({ namespace, pod, outcome, seconds: tookMs / 1_000 }, 'the place of a reaped pod');
    const replacementUid = replacement?.uid;
    record([
      {
        subject: {
          kind: 'recreation',
          namespace,
          pod,
          podUid,
          owners,
          outcome,
          replacementUid,
          tookMs,
          sinceAlertMs,
        },
        at: floorTo(tickMs, now),
        count: 1,
      },
    ]).catch((thrown: unknown) => {
      log.warn({ reason: Failure.from(thrown).message }, 'a recreation is not durable');
    });
  }
}
