import type { Clock } from '#src/clock.ts';
import type { ClusterPod } from '#src/cluster/cluster-pod.ts';
import type { EventSubject, Events } from '#src/cluster/events.ts';
import type { DecisionSubject } from '#src/journal/entry.ts';
import type { Log } from '#src/log.ts';

export interface ReapReportsParts {
  readonly events: Pick<Events, 'write'>;
  readonly observer: { decided(verdict: string, reason: string): void; reaped(how: string): void };
  /** What Events about no workload are written on. */
  readonly self: EventSubject;
  readonly clock: Clock;
  readonly log: Log;
}

/** The same about the same pod is told once in a while, however many alerts there are. */
const quietMs = 60_000;
const mostRemembered = 10_000;

/** Tells of what the reaper decides and does: log, metrics, Events. */
export class ReapReports {
  readonly #parts: ReapReportsParts;
  /** What was told last of each pod and rule. */
  readonly #told = new Map<string, { readonly what: string; readonly at: number }>();

  constructor(parts: ReapReportsParts) {
    this.#parts = parts;
  }

  /** True if it is worth writing down: not the same again. */
  decided(
    { namespace, pod, podUid, rule, verdict, reason }: DecisionSubject,
    detail: string | undefined,
  ): boolean {
    const { observer, clock, log } = this.#parts;
    observer.decided(verdict, reason);
    const now = clock.now();
    const key = JSON.stringify([namespace, pod, podUid, rule]);
    const what = `${verdict} ${reason}`;
    const told = this.#told.get(key);
    // Each intention counts, also one that follows on a failure.
    if (verdict !== 'reap' && told?.what === what && Math.abs(now - told.at) < quietMs) return false;
    if (this.#told.size >= mostRemembered) this.#told.clear();
    this.#told.set(key, { what, at: now });
    const about = { namespace, pod, podUid, rule, reason, ...(detail === undefined ? {} : { detail }) };
    log.info(
      about,
      verdict === 'skip' ? 'leaves a pod alone' : verdict === 'reap' ? 'reaps a pod' : 'would reap a pod',
    );
    return true;
  }

  reaped(
    { name }: ClusterPod,
    workload: EventSubject,
    { rule, how }: { rule: string; how: 'evicted' | 'quarantined' },
  ): void {
    this.#parts.observer.reaped(how);
    const message =
      how === 'evicted'
        ? `evicted pod ${name}: alert of rule ${rule}`
        : `took pod ${name} out of service and keeps it for forensics: alert of rule ${rule}`;
    this.#write(workload, 'Warning', how === 'evicted' ? 'ReapedPod' : 'QuarantinedPod', message);
  }

  wouldReap({ name }: ClusterPod, workload: EventSubject, rule: string): void {
    this.#write(
      workload,
      'Normal',
      'WouldReapPod',
      `would evict pod ${name} (dry-run): alert of rule ${rule}`,
    );
  }

  disarmed(rule: string, reason: string): void {
    this.#parts.log.error(
      { rule, reason },
      'the rule is disarmed; POST /rearm?rule= on the operations address arms it again',
    );
    this.#write(
      this.#parts.self,
      'Warning',
      'RuleDisarmed',
      `rule ${rule} takes no more pods away: ${reason}`,
    );
  }

  rearmed(rule: string, reason: string): void {
    this.#parts.log.warn({ rule, reason }, 'the rule is armed again');
    this.#write(this.#parts.self, 'Normal', 'RuleRearmed', `rule ${rule} counts again: ${reason}`);
  }

  withoutBudget(workload: EventSubject): void {
    this.#write(
      workload,
      'Warning',
      'NoDisruptionBudget',
      'pods of this workload may be reaped, and it has no PodDisruptionBudget: the floor of the reaper holds against the reaper only',
    );
  }

  #write(about: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    void this.#parts.events.write(about, { type, reason, message });
  }
}
