import { mayAct } from '#src/alerts/alert.ts';
import { compileFilter } from '#src/alerts/alert-filter.ts';
import type { Clock } from '#src/clock.ts';
import type { ClusterPod } from '#src/cluster/cluster-pod.ts';
import type { ClusterWorkload } from '#src/cluster/objects.ts';
import type { ActOutcome, PodActs } from '#src/cluster/pod-acts.ts';
import type { PodDirectory } from '#src/cluster/pod-directory.ts';
import { Failure } from '#src/failure.ts';
import type { DecisionSubject, Entry } from '#src/journal/entry.ts';
import type { Log } from '#src/log.ts';
import type { Arming } from '#src/reaper/arming.ts';
import { Docket } from '#src/reaper/docket.ts';
import { type Candidate, Examiner, type ExaminerParts } from '#src/reaper/examiner.ts';
import type { ReapReports } from '#src/reaper/reap-reports.ts';
import type { Recreations } from '#src/reaper/recreations.ts';
import { type Suspect, suspectOf } from '#src/reaper/suspect.ts';
import { actedOn, Verdicts } from '#src/reaper/verdicts.ts';

export interface ReaperParts extends Omit<ExaminerParts, 'verdicts'> {
  readonly arming: Arming;
  readonly reports: ReapReports;
  readonly pods: Pick<PodDirectory, 'freshWithOwners'>;
  readonly acts: Pick<PodActs, 'evict' | 'quarantine' | 'countQuarantined' | 'hasBudget'>;
  readonly recreations: Pick<Recreations, 'expect'>;
  readonly record: (entries: readonly Entry[]) => Promise<void>;
  /** Whether this replica is the one that acts. */
  readonly isElected: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

const notElectedMs = 1_000;
/** Suspects that are examined at once. */
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
  readonly #docket: Docket;
  readonly #verdicts: Verdicts;
  readonly #examiner: Examiner;

  constructor(parts: ReaperParts) {
    const { rules, minimumPriority, maxAlertAgeMs } = parts.settings;
    this.#parts = parts;
    this.#matches = compileFilter({ minimumPriority, rules, tags: [], sources: [] });
    this.#docket = new Docket({ ...parts, maxAlertAgeMs, judge: (due) => this.#judge(due) });
    this.#verdicts = new Verdicts({ ...parts, docket: this.#docket });
    this.#examiner = new Examiner({ ...parts, verdicts: this.#verdicts });
  }

  /** Takes entries of the journal in; of past ones only what is still fresh matters. */
  record(entries: readonly Entry[], arePast: boolean): void {
    const { settings } = this.#parts;
    for (const { subject, at } of entries) {
      if (subject.kind !== 'alert' || !settings.senders.includes(subject.sender)) continue;
      if (!this.#matches({ ...subject, mayAct: mayAct(subject) })) continue;
      const suspect = suspectOf(subject, at);
      if (!this.#docket.enter(suspect) && !arePast) this.#verdicts.skip(suspect, undefined, 'stale');
    }
  }

  /** This replica acts from now on: carries on where another, or an earlier process, has ended. */
  async takeOver(): Promise<void> {
    const { ledger, log } = this.#parts;
    for (const { subject, at } of ledger.intents) {
      try {
        await this.#settle(subject, at);
      } catch (thrown) {
        const reason = Failure.from(thrown).message;
        log.warn({ pod: subject.pod, reason }, 'cannot tell yet whether a pod was evicted');
      }
    }
    this.#docket.hurry();
  }

  stop(): void {
    this.#docket.stop();
  }

  /** First examines all of them, then acts: a rule that strikes everywhere is disarmed before it strikes once. */
  async #judge(due: readonly Suspect[]): Promise<void> {
    const { arming, clock, isElected } = this.#parts;
    if (!isElected()) {
      for (const suspect of due) this.#docket.again(suspect, notElectedMs);
      return;
    }
    const candidates: Candidate[] = [];
    const waiting = [...due];
    const workers = Array.from({ length: Math.min(atOnce, waiting.length) }, async () => {
      for (let suspect = waiting.shift(); suspect !== undefined; suspect = waiting.shift()) {
        const candidate = await this.#guarded(suspect, (one) => this.#examiner.examine(one));
        if (candidate !== undefined) candidates.push(candidate);
      }
    });
    await Promise.all(workers);
    candidates.sort((a, b) => a.suspect.firstAt - b.suspect.firstAt);
    for (const { suspect, found, key } of candidates) {
      arming.strike(suspect.rule, found.pod.uid, key, clock.now());
    }
    for (const candidate of candidates) await this.#guarded(candidate.suspect, () => this.#act(candidate));
  }

  /** What the API server does not answer is asked again while the alert is fresh. */
  async #guarded<T>(suspect: Suspect, run: (suspect: Suspect) => Promise<T>): Promise<T | undefined> {
    try {
      return await run(suspect);
    } catch (thrown) {
      const { code, message: reason } = Failure.from(thrown);
      const { namespace, pod } = suspect;
      // A flood is not told line by line.
      const level = code === 'rate-limited' ? 'debug' : 'warn';
      this.#parts.log[level]({ namespace, pod, code, reason }, 'cannot judge a pod; it is tried again');
      this.#docket.later(suspect);
      return undefined;
    }
  }

  async #act({ suspect, found: first, key }: Candidate): Promise<void> {
    const { ledger, isElected, arming } = this.#parts;
    let found = first;
    for (let changes = 0; changes < mostChanges; changes++) {
      if (!isElected()) return;
      if (arming.isDisarmed(suspect.rule)) return this.#verdicts.skip(suspect, found, 'disarmed');
      // Those before it in the same round took their time: a switch may have been set meanwhile.
      const workload = await this.#examiner.willingWorkload(suspect, found);
      if (workload === undefined) return;
      const against = await this.#examiner.judgeRoom(found.pod, workload, key);
      if (against !== undefined) return this.#verdicts.skip(suspect, found, against);
      const outcome = await this.#take({ suspect, found, key }, workload);
      if (outcome.kind === 'done') return this.#docket.remove(suspect);
      if (outcome.kind === 'gone') return this.#verdicts.skip(suspect, found, 'no-pod');
      if (outcome.kind === 'blocked') {
        return this.#verdicts.skip(suspect, found, 'disruption-budget', outcome.reason);
      }
      ledger.dropIntent(found.pod.uid);
      const again = await this.#examiner.look(suspect);
      if (again === undefined) return;
      found = again;
    }
    this.#docket.later(suspect);
  }

  /** Writes down what is meant, does it, and writes down that it is done. In dry-run the first only. */
  async #take({ suspect, found }: Candidate, workload: ClusterWorkload): Promise<ActOutcome> {
    const { settings, reports, recreations, acts } = this.#parts;
    const { rule, firstAt: firstAlertAt } = suspect;
    if (settings.mode === 'dry-run') {
      await this.#verdicts.reap(suspect, found, 'would-reap');
      reports.wouldReap(found.pod, workload, rule);
      return { kind: 'done' };
    }
    await recreations.expect(workload);
    const how = await this.#way(found.pod, workload);
    if (!(await this.#verdicts.reap(suspect, found, 'reap'))) {
      throw new Failure('unavailable', 'the decision could not be made durable, so it is not carried out');
    }
    const outcome =
      how === 'quarantined'
        ? await acts.quarantine(found.pod, workload)
        : await acts.evict(found.pod, settings.graceSeconds);
    if (outcome.kind !== 'done') return outcome;
    reports.reaped(found.pod, workload, { rule, how });
    await this.#verdicts.write({ kind: 'reap', ...actedOn(found), how, rule, firstAlertAt });
    return outcome;
  }

  /** Only a ReplicaSet replaces a pod that it has lost. */
  async #way({ controller }: ClusterPod, workload: ClusterWorkload): Promise<'evicted' | 'quarantined'> {
    const { quarantine } = this.#parts.settings;
    if (quarantine === undefined || controller?.kind !== 'ReplicaSet') return 'evicted';
    const kept = await this.#parts.acts.countQuarantined(workload);
    return kept < quarantine.maxPerWorkload ? 'quarantined' : 'evicted';
  }

  /** A decision of which nobody wrote down what became of it. */
  async #settle({ namespace, pod: name, podUid, owners, rule }: DecisionSubject, at: number): Promise<void> {
    const { pods, ledger } = this.#parts;
    const found = await pods.freshWithOwners(namespace, name);
    const isGone = found?.pod.uid !== podUid || found.pod.isLeaving || found.pod.isQuarantined;
    ledger.dropIntent(podUid);
    if (!isGone) return;
    const how = found?.pod.isQuarantined ? 'quarantined' : 'evicted';
    const pod = { namespace, pod: name, podUid, owners };
    await this.#verdicts.write({ kind: 'reap', ...pod, how, rule, firstAlertAt: at }, at);
  }
}
