import { mayAct, type NamedWorkload } from '#src/alerts/alert.ts';
import { compileFilter } from '#src/alerts/alert-filter.ts';
import type { Clock } from '#src/clock.ts';
import type { ClusterPod } from '#src/cluster/cluster-pod.ts';
import type { ClusterWorkload, Objects } from '#src/cluster/objects.ts';
import { workloadOf } from '#src/cluster/owner-chains.ts';
import type { PauseSwitches } from '#src/cluster/pause-switches.ts';
import type { ActOutcome, PodActs } from '#src/cluster/pod-acts.ts';
import type { PodDirectory, PodWithOwners } from '#src/cluster/pod-directory.ts';
import type { Workloads } from '#src/cluster/workloads.ts';
import { Failure } from '#src/failure.ts';
import type { Entry, Subject } from '#src/journal/entry.ts';
import { floorTo, tickMs } from '#src/journal/resolution.ts';
import type { Log } from '#src/log.ts';
import type { Arming } from '#src/reaper/arming.ts';
import {
  judgeAlert,
  judgePod,
  judgeRoom,
  judgeWorkload,
  passing,
  type SkipReason,
} from '#src/reaper/decide-reap.ts';
import { type Ledger, workloadKey } from '#src/reaper/ledger.ts';
import type { ReapReports } from '#src/reaper/reap-reports.ts';
import type { ReapSettings } from '#src/reaper/reap-settings.ts';
import type { Recreations } from '#src/reaper/recreations.ts';
import { keyOf, type Suspect, suspectOf } from '#src/reaper/suspect.ts';

export interface ReaperParts {
  readonly settings: ReapSettings;
  readonly ledger: Ledger;
  readonly arming: Arming;
  readonly reports: ReapReports;
  readonly pods: Pick<PodDirectory, 'freshWithOwners'>;
  readonly objects: Pick<Objects, 'read'>;
  readonly workloads: Pick<Workloads, 'listPods'>;
  readonly switches: Pick<PauseSwitches, 'setFor'>;
  readonly acts: Pick<PodActs, 'evict' | 'quarantine' | 'countQuarantined' | 'hasBudget'>;
  readonly recreations: Pick<Recreations, 'expect'>;
  readonly record: (entries: readonly Entry[]) => Promise<void>;
  /** Whether this replica is the one that acts. */
  readonly isElected: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** A suspect that nothing speaks against but, perhaps, what its workload can afford. */
interface Candidate {
  readonly suspect: Suspect;
  readonly found: PodWithOwners;
  readonly workload: ClusterWorkload;
  readonly key: string;
}

/** What an attack brings at once is judged together: a rule that strikes everywhere is disarmed before it strikes once. */
const gatherMs = 100;
/** A pod that nothing is done about is looked at again with its alerts, but not with each. */
const againMs = 5_000;
const leastRetryMs = 1_000;
const mostRetryMs = 15_000;
const mostSuspects = 2_000;
const atOnce = 8;
/** What changes under our hands is looked at again so often. */
const mostChanges = 3;

/**
 * Takes infected pods away. Everything is decided on what the API server says at that moment; every decision is written
 * down before it is carried out, so that whoever comes after a crash knows what was meant.
 */
export class Reaper {
  readonly #parts: ReaperParts;
  readonly #matches: ReturnType<typeof compileFilter>;
  readonly #suspects = new Map<string, Suspect>();
  readonly #budgeted = new Set<string>();
  #stopTimer: (() => void) | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;
  #isWorking = false;
  #stopped = false;

  constructor(parts: ReaperParts) {
    const { rules, minimumPriority } = parts.settings;
    this.#parts = parts;
    this.#matches = compileFilter({ minimumPriority, rules, tags: [], sources: [] });
  }

  /** Takes entries of the journal in; of past ones only what is still fresh matters. */
  record(entries: readonly Entry[], arePast: boolean): void {
    const { settings, clock } = this.#parts;
    const now = clock.now();
    for (const { subject, at } of entries) {
      if (subject.kind !== 'alert' || !settings.senders.includes(subject.sender)) continue;
      if (!this.#matches({ ...subject, mayAct: mayAct(subject) })) continue;
      const fresh = suspectOf(subject, at, now + gatherMs);
      const known = this.#suspects.get(keyOf(fresh));
      if (known !== undefined) known.at = Math.max(known.at, at);
      else if (now - at <= settings.maxAlertAgeMs) this.#add(fresh);
      else if (!arePast) this.#skip(fresh, undefined, 'stale');
    }
  }

  /** This replica acts from now on: carries on where another, or an earlier process, has ended. */
  async takeOver(): Promise<void> {
    const { ledger, clock, log } = this.#parts;
    for (const { subject, at } of ledger.intents) {
      try {
        await this.#settle(subject, at);
      } catch (thrown) {
        log.warn(
          { pod: subject.pod, reason: Failure.from(thrown).message },
          'cannot tell yet whether a pod was evicted',
        );
      }
    }
    for (const suspect of this.#suspects.values()) suspect.dueAt = Math.min(suspect.dueAt, clock.now());
    this.#wake(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer?.();
  }

  #add(suspect: Suspect): void {
    if (this.#suspects.size >= mostSuspects) {
      const [oldest] = this.#suspects.keys();
      if (oldest !== undefined) this.#suspects.delete(oldest);
    }
    this.#suspects.set(keyOf(suspect), suspect);
    this.#wake(suspect.dueAt - this.#parts.clock.now());
  }

  #wake(inMs: number): void {
    const { clock } = this.#parts;
    const at = clock.now() + Math.max(0, inMs);
    if (this.#stopped || this.#isWorking || at >= this.#wakesAt) return;
    this.#wakesAt = at;
    this.#stopTimer?.();
    this.#stopTimer = clock.after(Math.max(0, inMs), () => {
      this.#wakesAt = Number.POSITIVE_INFINITY;
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    const { clock, settings, isElected, log } = this.#parts;
    this.#isWorking = true;
    try {
      const now = clock.now();
      const due: Suspect[] = [];
      for (const [key, suspect] of this.#suspects) {
        // What nobody had to look at while it was fresh is the acting replica's, or nobody's.
        if (now - suspect.at > settings.maxAlertAgeMs) this.#suspects.delete(key);
        else if (suspect.dueAt <= now) due.push(suspect);
      }
      if (isElected()) await this.#judge(due);
      else for (const suspect of due) suspect.dueAt = now + leastRetryMs;
    } catch (thrown) {
      log.error({ reason: Failure.from(thrown).message }, 'a defect of the reaper');
    } finally {
      this.#isWorking = false;
    }
    const next = [...this.#suspects.values()].reduce(
      (least, { dueAt }) => Math.min(least, dueAt),
      Number.POSITIVE_INFINITY,
    );
    if (next < Number.POSITIVE_INFINITY) this.#wake(Math.max(gatherMs, next - clock.now()));
  }

  /** First all of them, then act: see `gatherMs`. */
  async #judge(due: readonly Suspect[]): Promise<void> {
    const { arming, clock } = this.#parts;
    const candidates: Candidate[] = [];
    const waiting = [...due];
    const workers = Array.from({ length: Math.min(atOnce, waiting.length) }, async () => {
      for (let suspect = waiting.shift(); suspect !== undefined; suspect = waiting.shift()) {
        const candidate = await this.#guarded(suspect, (one) => this.#examine(one));
        if (candidate !== undefined) candidates.push(candidate);
      }
    });
    await Promise.all(workers);
    candidates.sort((a, b) => a.suspect.firstAt - b.suspect.firstAt);
    for (const { suspect, found, key } of candidates)
      arming.strike(suspect.rule, found.pod.uid, key, clock.now());
    for (const candidate of candidates) await this.#guarded(candidate.suspect, () => this.#act(candidate));
  }

  /** What the API server does not answer is asked again while the alert is fresh. */
  async #guarded<T>(suspect: Suspect, run: (suspect: Suspect) => Promise<T>): Promise<T | undefined> {
    try {
      return await run(suspect);
    } catch (thrown) {
      const { code, message } = Failure.from(thrown);
      this.#parts.log.warn(
        { namespace: suspect.namespace, pod: suspect.pod, code, reason: message },
        'cannot judge a pod; it is tried again',
      );
      this.#later(suspect);
      return undefined;
    }
  }

  async #examine(suspect: Suspect): Promise<Candidate | undefined> {
    const { settings, clock, pods, arming } = this.#parts;
    const now = clock.now();
    const isDisarmed = arming.isDisarmed(suspect.rule);
    const against = judgeAlert(suspect, settings, now) ?? (isDisarmed ? 'disarmed' : undefined);
    if (against !== undefined) return this.#skip(suspect, undefined, against);
    const found = await pods.freshWithOwners(suspect.namespace, suspect.pod);
    const againstPod = judgePod(suspect, found?.pod, settings);
    if (found === undefined || againstPod !== undefined)
      return this.#skip(suspect, found, againstPod ?? 'no-pod');
    const workload = await this.#workloadAbove(found);
    const paused = workload && (await this.#parts.switches.setFor(suspect.namespace, workload.labels));
    const againstWorkload = judgeWorkload(workload, paused);
    if (workload === undefined || againstWorkload !== undefined) {
      return this.#skip(suspect, found, againstWorkload ?? 'no-workload', paused);
    }
    void this.#warnWithoutBudget(found.pod, workload);
    const key = workloadKey(workload.namespace, named(workload));
    await this.#noteAttack(workload, key, suspect.firstAt);
    return { suspect, found, workload, key };
  }

  async #workloadAbove({ pod, owners }: PodWithOwners): Promise<ClusterWorkload | undefined> {
    const controller = workloadOf(owners);
    if (controller === undefined || !controller.apiVersion.includes('/')) return undefined;
    const workload = await this.#parts.objects.read(controller, pod.namespace);
    return workload?.uid === controller.uid ? workload : undefined;
  }

  /** Once for each workload that opts in: without one, others may take it below its floor. */
  async #warnWithoutBudget({ namespace, labels }: ClusterPod, workload: ClusterWorkload): Promise<void> {
    const { acts, reports, log } = this.#parts;
    if (this.#budgeted.has(workload.uid)) return;
    if (this.#budgeted.size >= mostSuspects) this.#budgeted.clear();
    this.#budgeted.add(workload.uid);
    try {
      if (!(await acts.hasBudget(namespace, labels))) reports.withoutBudget(workload);
    } catch (thrown) {
      log.debug(
        { reason: Failure.from(thrown).message },
        'cannot tell whether a workload has a PodDisruptionBudget',
      );
    }
  }

  /** The floor is measured on what there was before anything was done. */
  async #noteAttack(workload: ClusterWorkload, key: string, at: number): Promise<void> {
    const { ledger, clock, record } = this.#parts;
    if (ledger.replicasBefore(key, clock.now()) !== undefined) return;
    const { namespace, replicas = 0 } = workload;
    await record([
      { subject: { kind: 'attack', namespace, workload: named(workload), replicas }, at, count: 1 },
    ]);
  }

  async #act(candidate: Candidate): Promise<void> {
    const { suspect, workload, key } = candidate;
    const { settings, ledger, clock, isElected, reports, arming } = this.#parts;
    let { found } = candidate;
    for (let changes = 0; changes < mostChanges; changes++) {
      const now = clock.now();
      if (!isElected()) return;
      if (arming.isDisarmed(suspect.rule)) return this.#skip(suspect, found, 'disarmed');
      const against = await this.#judgeRoom(found.pod, workload, key, now);
      if (against !== undefined) return this.#skip(suspect, found, against);
      if (settings.mode === 'dry-run') {
        await this.#decide(suspect, found, 'would-reap', 'infected');
        reports.wouldReap(found.pod, workload, suspect.rule);
        this.#suspects.delete(keyOf(suspect));
        return;
      }
      await this.#parts.recreations.expect(workload);
      const how = await this.#takesIntoQuarantine(found.pod, workload);
      // Whoever comes after a crash must know what was meant.
      if (!(await this.#decide(suspect, found, 'reap', 'infected'))) break;
      const outcome = await this.#carryOut(found.pod, workload, how);
      if (outcome.kind === 'done') {
        this.#suspects.delete(keyOf(suspect));
        await this.#reaped({ ...candidate, found }, how);
        return;
      }
      if (outcome.kind === 'gone') return this.#skip(suspect, found, 'no-pod');
      if (outcome.kind === 'blocked') return this.#skip(suspect, found, 'disruption-budget', outcome.reason);
      // It has changed since it was looked at.
      const again = await this.#parts.pods.freshWithOwners(suspect.namespace, suspect.pod);
      const againstPod = judgePod(suspect, again?.pod, settings);
      if (again === undefined || againstPod !== undefined)
        return this.#skip(suspect, again, againstPod ?? 'no-pod');
      found = again;
    }
    ledger.dropIntent(found.pod.uid);
    this.#later(suspect);
  }

  async #judgeRoom(
    pod: ClusterPod,
    workload: ClusterWorkload,
    key: string,
    now: number,
  ): Promise<SkipReason | undefined> {
    const { settings, ledger, workloads } = this.#parts;
    const recent = [...ledger.recent(settings.periodMs, now)];
    return judgeRoom(
      pod,
      {
        pods: await workloads.listPods(workload),
        reaped: new Set(recent.map(({ uid }) => uid)),
        reapedOfWorkload: recent.filter((one) => one.workload === key).length,
        reapedOfAll: recent.length,
        replicasBefore: ledger.replicasBefore(key, now) ?? workload.replicas ?? 0,
      },
      settings,
    );
  }

  /** Only a ReplicaSet replaces a pod that it has lost. */
  async #takesIntoQuarantine(
    { controller }: ClusterPod,
    workload: ClusterWorkload,
  ): Promise<'evicted' | 'quarantined'> {
    const { quarantine } = this.#parts.settings;
    if (quarantine === undefined || controller?.kind !== 'ReplicaSet') return 'evicted';
    const kept = await this.#parts.acts.countQuarantined(workload);
    return kept < quarantine.maxPerWorkload ? 'quarantined' : 'evicted';
  }

  #carryOut(pod: ClusterPod, workload: ClusterWorkload, how: 'evicted' | 'quarantined'): Promise<ActOutcome> {
    const { acts, settings } = this.#parts;
    return how === 'quarantined' ? acts.quarantine(pod, workload) : acts.evict(pod, settings.graceSeconds);
  }

  async #reaped({ suspect, found, workload }: Candidate, how: 'evicted' | 'quarantined'): Promise<void> {
    const { rule, firstAt: firstAlertAt } = suspect;
    this.#parts.reports.reaped(found.pod, workload, { rule, how });
    await this.#write({ kind: 'reap', ...actedOn(found), how, rule, firstAlertAt });
  }

  /** A decision of which nobody wrote down what became of it. */
  async #settle(
    { namespace, pod: name, podUid, owners, rule }: Extract<Subject, { kind: 'decision' }>,
    at: number,
  ): Promise<void> {
    const { pods, ledger } = this.#parts;
    const found = await pods.freshWithOwners(namespace, name);
    const isGone = found?.pod.uid !== podUid || found.pod.isLeaving || found.pod.isQuarantined;
    ledger.dropIntent(podUid);
    if (!isGone) return;
    const how = found?.pod.isQuarantined ? 'quarantined' : 'evicted';
    const subject: Subject = {
      kind: 'reap',
      namespace,
      pod: name,
      podUid,
      owners,
      how,
      rule,
      firstAlertAt: at,
    };
    await this.#parts.record([{ subject, at, count: 1 }]);
  }

  /** Answers undefined, for whoever returns it. */
  #skip(suspect: Suspect, found: PodWithOwners | undefined, reason: SkipReason, detail?: string): undefined {
    void this.#decide(suspect, found, 'skip', reason, detail);
    if (passing.has(reason)) this.#later(suspect);
    else suspect.dueAt = this.#parts.clock.now() + againMs;
    return undefined;
  }

  #later(suspect: Suspect): void {
    suspect.tries++;
    suspect.dueAt = this.#parts.clock.now() + Math.min(mostRetryMs, leastRetryMs * 2 ** (suspect.tries - 1));
  }

  /** False if it could not be made durable. */
  async #decide(
    suspect: Suspect,
    found: PodWithOwners | undefined,
    verdict: 'reap' | 'would-reap' | 'skip',
    reason: string,
    detail?: string,
  ): Promise<boolean> {
    const { namespace, pod, uid = '', rule, owners } = suspect;
    const about = found === undefined ? { namespace, pod, podUid: uid, owners } : actedOn(found);
    const subject: Subject = { kind: 'decision', ...about, rule, verdict, reason };
    return !this.#parts.reports.decided(subject, detail) || this.#write(subject);
  }

  async #write(subject: Subject): Promise<boolean> {
    const { record, clock, log } = this.#parts;
    try {
      await record([{ subject, at: floorTo(tickMs, clock.now()), count: 1 }]);
      return true;
    } catch (thrown) {
      // It counts in memory; a journal that fails is told by its own metrics.
      log.warn({ reason: Failure.from(thrown).message }, 'a decision of the reaper is not durable');
      return false;
    }
  }
}

function actedOn({ pod, owners }: PodWithOwners) {
  const { namespace, name, uid: podUid } = pod;
  return { namespace, pod: name, podUid, owners: owners.map(named) };
}

function named({ kind, name }: NamedWorkload): NamedWorkload {
  return { kind: kind.toLowerCase(), name };
}
