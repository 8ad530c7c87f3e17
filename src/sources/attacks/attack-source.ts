import { isExact } from '#src/alerts/globs.ts';
import { rankOf } from '#src/alerts/priority.ts';
import type { Clock } from '#src/clock.ts';
import type { ClusterPod } from '#src/cluster/cluster-pod.ts';
import type { Targets } from '#src/cluster/targets.ts';
import type { NamedWorkload } from '#src/cluster/workloads.ts';
import { Failure } from '#src/failure.ts';
import { formatDuration } from '#src/fields/duration.ts';
import { show } from '#src/fields/field.ts';
import type { Log } from '#src/log.ts';
import type { AttackWindows } from '#src/sources/attacks/attack-windows.ts';
import { attackMetrics } from '#src/sources/attacks/metrics/attack-metrics.ts';
import type { View } from '#src/sources/attacks/view.ts';
import { type AttackQuestion, questionOf } from '#src/sources/attacks.ts';
import type { Asker, Sample, Source } from '#src/sources/source.ts';
import { activeByAlerts, type FalcoTrigger } from '#src/triggers/trigger.ts';

export interface AttackSourceParts {
  readonly windows: AttackWindows;
  /** What triggers mean that name no workload. */
  readonly targets: Targets;
  /** The pods of a workload as they are; undefined without a cluster. */
  readonly podsOf: ((workload: NamedWorkload) => readonly ClusterPod[]) | undefined;
  /** Whether infected pods are taken away. */
  readonly isReaping: boolean;
  /** What the ScaledObject forbids, in words: a trigger of it that cannot work. */
  readonly refusalOf: (trigger: FalcoTrigger) => string | undefined;
  /** Since when no alert is missing, epoch ms; 0 unless a journal was lost. */
  readonly completeSince: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Attacks as a source of numbers: all of it from memory, and told the moment it changes. */
export class AttackSource implements Source<FalcoTrigger> {
  readonly #parts: AttackSourceParts;
  readonly #views = new WeakMap<FalcoTrigger, View>();
  readonly #warned = new WeakSet<FalcoTrigger>();

  constructor(parts: AttackSourceParts) {
    this.#parts = parts;
  }

  measure(trigger: FalcoTrigger): Sample {
    const refusal = this.#parts.refusalOf(trigger);
    if (refusal !== undefined) throw new Failure('invalid', refusal);
    const now = this.#parts.clock.now();
    const view = this.#view(trigger, now);
    const reading = {
      view,
      trigger,
      now,
      pods: () => this.#pods(trigger),
      requireReaper: () => this.#requireReaper(trigger),
    };
    const { value, isAssumed = false, inputs } = attackMetrics[trigger.metric].measure(reading);
    if (view.alerts === 0) {
      this.#requireComplete(trigger, now);
      this.#warnOfPriority(trigger, view);
    }
    const origin = view.isLowerBound ? 'lower-bound' : isAssumed ? 'assumed' : 'measured';
    const active = activeByAlerts.includes(trigger.metric)
      ? view.alerts > 0
      : value > trigger.activationThreshold;
    return { value, at: now, active, origin, ...(inputs && { inputs }) };
  }

  awaits(): string {
    return 'the attack windows';
  }

  /** Told with the first alert that makes the trigger active, and when the window has run empty again. */
  watch(trigger: FalcoTrigger, _asker: Asker, onSample: (sample: Sample) => void, signal: AbortSignal): void {
    const { clock } = this.#parts;
    let active: boolean | undefined;
    let stopTimer: (() => void) | undefined;
    const look = () => {
      const sample = this.#attempt(trigger);
      if (sample === undefined || sample.active === active) return;
      active = sample.active;
      onSample(sample);
      if (active) lookAgain();
    };
    // What a window holds shrinks step by step: an active one is looked at until it is not.
    const lookAgain = () => {
      stopTimer?.();
      stopTimer = clock.after(Math.max(1_000, trigger.windowMs / 60), () => {
        look();
        if (active) lookAgain();
      });
    };
    signal.addEventListener('abort', () => stopTimer?.(), { once: true });
    // One more alert never ends an activity.
    const onAlert = () => {
      if (!active) look();
    };
    this.#attend(trigger, { onAlert, onView: look }, signal);
  }

  /** Calls `onAlert` with the time of each matching alert, epoch ms, until `signal` aborts. */
  watchAlerts(trigger: FalcoTrigger, onAlert: (at: number) => void, signal: AbortSignal): void {
    this.#attend(trigger, { onAlert: ({ latestRecorded }) => onAlert(latestRecorded), onView() {} }, signal);
  }

  target(trigger: FalcoTrigger): number {
    return trigger.threshold;
  }

  watchTarget(): void {
    // The target of an attack metric does not change.
  }

  /** When the newest matching alert in the window happened, epoch ms; undefined while there is none, or nothing is known. */
  newestAlertAt(trigger: FalcoTrigger): number | undefined {
    return this.#viewOrNone(trigger, this.#parts.clock.now())?.newestAt;
  }

  /** Watches whatever view answers the trigger: another, when its ScaledObject comes to scale another workload. */
  #attend(
    trigger: FalcoTrigger,
    { onAlert, onView }: { onAlert: (view: View) => void; onView: () => void },
    signal: AbortSignal,
  ): void {
    const { clock, targets } = this.#parts;
    let watched: View | undefined;
    const tell = () => {
      if (watched !== undefined) onAlert(watched);
    };
    const attend = () => {
      const view = this.#viewOrNone(trigger, clock.now());
      if (view === watched) return;
      watched?.watchers.delete(tell);
      watched = view;
      view?.watchers.add(tell);
      onView();
    };
    const { follows } = trigger.workload;
    if (follows !== undefined) targets.watch(follows, attend, signal);
    signal.addEventListener('abort', () => watched?.watchers.delete(tell), { once: true });
    attend();
  }

  /** Failures are not told to who watches: an activity that is not known is not a change. */
  #attempt(trigger: FalcoTrigger): Sample | undefined {
    try {
      return this.measure(trigger);
    } catch {
      return undefined;
    }
  }

  /** Throws `unavailable` while it is not known what the ScaledObject scales. */
  #view(trigger: FalcoTrigger, now: number): View {
    const question = questionOf(trigger, this.#parts.targets);
    const known = this.#views.get(trigger);
    if (known !== undefined && !known.isDetached && isAbout(known, question)) {
      return this.#parts.windows.refresh(known, now);
    }
    const view = this.#parts.windows.view(question, now);
    this.#views.set(trigger, view);
    return view;
  }

  #viewOrNone(trigger: FalcoTrigger, now: number): View | undefined {
    try {
      return this.#view(trigger, now);
    } catch {
      return undefined;
    }
  }

  #pods({ workload, metric }: FalcoTrigger): readonly ClusterPod[] {
    const { podsOf, targets } = this.#parts;
    if (podsOf === undefined) {
      throw new Failure(
        'not-found',
        `${metric} needs a connection to the cluster, to know which pods still run; use infections, which counts them whatever became of them`,
      );
    }
    const { namespace, follows } = workload;
    const { kind, name, apiVersion } =
      follows === undefined ? { ...workload, apiVersion: undefined } : targets.of(follows);
    return podsOf({ namespace, kind, name, apiVersion });
  }

  #requireReaper({ metric }: FalcoTrigger): void {
    if (this.#parts.isReaping) return;
    throw new Failure(
      'not-found',
      `${metric} needs the reaper (REAPER=on where the scaler runs); infections and infectionRate do not`,
    );
  }

  /** After a journal was lost, nothing is known of what was in it: that is not 0. */
  #requireComplete({ windowMs }: FalcoTrigger, now: number): void {
    const since = this.#parts.completeSince();
    if (since <= now - windowMs) return;
    const until = new Date(since + windowMs).toISOString();
    throw new Failure(
      'unavailable',
      `alerts from before ${new Date(since).toISOString()} are lost with the earlier journal, so 0 in a window of ${formatDuration(windowMs)} would be a guess until ${until}`,
      { retryAt: since + windowMs },
    );
  }

  /** A rule that is asked for by its exact name, and only ever came with a lower priority than is asked for. */
  #warnOfPriority(trigger: FalcoTrigger, view: View): void {
    const rules = trigger.filter.rules.filter(isExact);
    if (rules.length === 0 || this.#warned.has(trigger)) return;
    for (const { rule, priority } of view.signatures()) {
      if (!rules.includes(rule) || rankOf[priority] <= rankOf[trigger.filter.minimumPriority]) continue;
      this.#warned.add(trigger);
      const { namespace, name } = trigger.scaledObject;
      this.#parts.log.warn(
        { namespace, name, metric: trigger.metricName, rule: show(rule), priority },
        `alerts of a rule that the trigger names come with priority ${priority}, below its minimumPriority ${trigger.filter.minimumPriority}: they do not count; set minimumPriority: ${priority}`,
      );
      return;
    }
  }
}

function isAbout({ question }: View, { namespace, workload }: AttackQuestion): boolean {
  const { workload: known } = question;
  return question.namespace === namespace && known.kind === workload.kind && known.name === workload.name;
}
