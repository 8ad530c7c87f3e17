import type { Clock } from '#src/clock.ts';
import type { ClusterPod } from '#src/cluster/cluster-pod.ts';
import type { ClusterWorkload, Objects } from '#src/cluster/objects.ts';
import { workloadOf } from '#src/cluster/owner-chains.ts';
import type { PauseSwitches } from '#src/cluster/pause-switches.ts';
import type { PodActs } from '#src/cluster/pod-acts.ts';
import type { PodDirectory, PodWithOwners } from '#src/cluster/pod-directory.ts';
import type { Workloads } from '#src/cluster/workloads.ts';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import type { Arming } from '#src/reaper/arming.ts';
import { judgeAlert, judgePod, judgeRoom, judgeWorkload, type SkipReason } from '#src/reaper/decide-reap.ts';
import { type Ledger, workloadKey } from '#src/reaper/ledger.ts';
import type { ReapReports } from '#src/reaper/reap-reports.ts';
import type { ReapSettings } from '#src/reaper/reap-settings.ts';
import type { Suspect } from '#src/reaper/suspect.ts';
import { named, type Verdicts } from '#src/reaper/verdicts.ts';
import { TokenBucket } from '#src/token-bucket.ts';

export interface ExaminerParts {
  readonly settings: ReapSettings;
  readonly ledger: Ledger;
  readonly arming: Arming;
  readonly verdicts: Verdicts;
  readonly reports: Pick<ReapReports, 'withoutBudget'>;
  readonly pods: Pick<PodDirectory, 'freshWithOwners'>;
  readonly objects: Pick<Objects, 'read'>;
  readonly workloads: Pick<Workloads, 'listPods'>;
  readonly switches: Pick<PauseSwitches, 'setFor'>;
  readonly acts: Pick<PodActs, 'hasBudget'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A suspect that nothing speaks against but, perhaps, what its workload can afford. */
export interface Candidate {
  readonly suspect: Suspect;
  readonly found: PodWithOwners;
  /** Of its workload. */
  readonly key: string;
}

/** What judging may cost the API server; a quarter of it at once. */
const judgedPerMinute = 1_200;
const mostWorkloads = 10_000;

/** Asks the API server what is true at this moment, and has it judged. What is decided against is said by `Verdicts`. */
export class Examiner {
  readonly #parts: ExaminerParts;
  readonly #budget: TokenBucket;
  readonly #budgeted = new Set<string>();

  constructor(parts: ExaminerParts) {
    this.#parts = parts;
    this.#budget = new TokenBucket(judgedPerMinute, parts.clock.now());
  }

  /** Undefined: it is left alone. Throws `rate-limited`, `unavailable` and `permission-denied`. */
  async examine(suspect: Suspect): Promise<Candidate | undefined> {
    const { settings, clock, arming, verdicts } = this.#parts;
    const now = clock.now();
    const isDisarmed = arming.isDisarmed(suspect.rule);
    const against = judgeAlert(suspect, settings, now) ?? (isDisarmed ? 'disarmed' : undefined);
    if (against !== undefined) return verdicts.skip(suspect, undefined, against);
    if (!this.#budget.take(now)) throw new Failure('rate-limited', 'too many pods are judged at once');
    const found = await this.look(suspect);
    const workload = found && (await this.willingWorkload(suspect, found));
    if (found === undefined || workload === undefined) return undefined;
    void this.#warnWithoutBudget(found.pod, workload);
    const key = workloadKey(workload.namespace, named(workload));
    await this.#noteAttack(workload, key, suspect.firstAt);
    return { suspect, found, key };
  }

  /** The pod, if it is the one that is meant and may be taken; otherwise it has been said why not. */
  async look(suspect: Suspect): Promise<PodWithOwners | undefined> {
    const { pods, settings, verdicts } = this.#parts;
    const found = await pods.freshWithOwners(suspect.namespace, suspect.pod);
    const against = judgePod(suspect, found?.pod, settings);
    return against === undefined ? found : verdicts.skip(suspect, found, against);
  }

  /** The workload above a pod, if it lets its pods be taken at this moment; otherwise it has been said why not. */
  async willingWorkload(suspect: Suspect, found: PodWithOwners): Promise<ClusterWorkload | undefined> {
    const workload = await this.#workloadAbove(found);
    const paused = workload && (await this.#parts.switches.setFor(suspect.namespace, workload.labels));
    const against = judgeWorkload(workload, paused);
    return against === undefined ? workload : this.#parts.verdicts.skip(suspect, found, against, paused);
  }

  /** What the workload can afford now. */
  async judgeRoom(pod: ClusterPod, workload: ClusterWorkload, key: string): Promise<SkipReason | undefined> {
    const { settings, ledger, workloads, clock } = this.#parts;
    const now = clock.now();
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

  async #workloadAbove({ pod, owners }: PodWithOwners): Promise<ClusterWorkload | undefined> {
    const controller = workloadOf(owners);
    if (controller === undefined || !controller.apiVersion.includes('/')) return undefined;
    const workload = await this.#parts.objects.read(controller, pod.namespace);
    return workload?.uid === controller.uid ? workload : undefined;
  }

  /** The floor is measured on what there was before anything was done. */
  async #noteAttack(workload: ClusterWorkload, key: string, at: number): Promise<void> {
    const { ledger, clock, verdicts } = this.#parts;
    if (ledger.replicasBefore(key, clock.now()) !== undefined) return;
    const { namespace, replicas = 0 } = workload;
    await verdicts.write({ kind: 'attack', namespace, workload: named(workload), replicas }, at);
  }

  /** Once for each workload that opts in: without one, others may take it below its floor. */
  async #warnWithoutBudget({ namespace, labels }: ClusterPod, workload: ClusterWorkload): Promise<void> {
    const { acts, reports, log } = this.#parts;
    if (this.#budgeted.has(workload.uid)) return;
    if (this.#budgeted.size >= mostWorkloads) this.#budgeted.clear();
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
}
