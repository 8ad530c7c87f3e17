import type { Clock } from '#src/clock.ts';
import type { Events } from '#src/cluster/events.ts';
import type { Objects } from '#src/cluster/objects.ts';
import type { PauseSwitches } from '#src/cluster/pause-switches.ts';
import { isExternal, type ScaledObject } from '#src/cluster/scaled-object.ts';
import type { ScaledObjects } from '#src/cluster/scaled-objects.ts';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import type { AttackSource } from '#src/sources/attacks/attack-source.ts';
import { refusalOf, replicasFor } from '#src/surge/decide-surge.ts';
import type { ParsedTrigger, ScaledObjectRef } from '#src/triggers/parse-trigger.ts';
import type { FalcoTrigger } from '#src/triggers/trigger.ts';

export interface SurgeParts {
  readonly scaledObjects: Pick<ScaledObjects, 'all' | 'get' | 'onChange' | 'fresh'>;
  readonly objects: Pick<Objects, 'read' | 'scale' | 'setScale'>;
  readonly switches: Pick<PauseSwitches, 'setFor'>;
  readonly events: Pick<Events, 'write'>;
  readonly source: Pick<AttackSource, 'measure' | 'watchAlerts' | 'newestAlertAt'>;
  readonly parse: (ref: ScaledObjectRef) => ParsedTrigger;
  /** Whether this replica is the one that acts. */
  readonly mayAct: () => boolean;
  /** The operator's word; undefined: it may. */
  readonly off: string | undefined;
  readonly maxReplicas: number;
  /** Alerts whose event is older cause nothing. */
  readonly maxAlertAgeMs: number;
  readonly observer: { surged(outcome: string): void };
  readonly clock: Clock;
  readonly log: Log;
}

/** A trigger of a ScaledObject that asks for a surge. */
interface Candidate {
  readonly scaledObject: ScaledObject;
  readonly index: number;
  /** Of the same, counting only alerts that something may be done about. */
  readonly trigger: FalcoTrigger;
  lastTriedAt: number;
  /** Epoch ms. */
  lastAlertAt: number;
  isWaiting: boolean;
}

interface Followed {
  readonly candidates: readonly Candidate[];
  readonly end: AbortController;
}

/** The first jump waits for what an attack brings at once; more follow at most this often. */
const gatherMs = 100;
const leastApartMs = 1_000;
const retryMs = 250;
const mostTries = 10;
const mostTold = 10_000;
const never = Number.NEGATIVE_INFINITY;

/**
 * Sets the replicas of a running workload at once to what the HPA would reach over several syncs. Driven by ScaledObjects
 * as the API server has them: no request can cause, or bend, a surge.
 */
export class Surge {
  readonly #parts: SurgeParts;
  readonly #followed = new Map<string, Followed>();
  readonly #told = new Set<string>();
  #stopFollowing: (() => void) | undefined;

  constructor(parts: SurgeParts) {
    this.#parts = parts;
  }

  start(): void {
    const { scaledObjects } = this.#parts;
    this.#stopFollowing = scaledObjects.onChange((changed, isGone) => this.#follow(changed, isGone));
    for (const scaledObject of scaledObjects.all()) this.#follow(scaledObject, false);
  }

  stop(): void {
    this.#stopFollowing?.();
    for (const { end } of this.#followed.values()) end.abort();
    this.#followed.clear();
  }

  /** This replica acts from now on: also on what has happened just before. */
  takeOver(): void {
    for (const { candidates, end } of this.#followed.values()) {
      for (const candidate of candidates) this.#catchUp(candidate, end.signal);
    }
  }

  /** A request asks about such a trigger. Says so once if no ScaledObject carries it: nothing will happen. */
  claimed({ namespace, name }: ScaledObjectRef, isCarried: boolean): void {
    const about = `${namespace}/${name} claimed`;
    if (isCarried || this.#told.has(about)) return;
    this.#remember(about);
    this.#parts.log.warn({ namespace, name }, 'does not surge: the ScaledObject carries no such trigger');
    this.#parts.observer.surged('not-carried');
  }

  #follow(scaledObject: ScaledObject, isGone: boolean): void {
    if (scaledObject.kind !== 'ScaledObject') return;
    const { namespace, name, triggers } = scaledObject;
    const key = `${namespace}/${name}`;
    this.#followed.get(key)?.end.abort();
    this.#followed.delete(key);
    if (isGone) return;
    const candidates = triggers.flatMap((carried, index) => {
      const { metadata } = carried;
      if (!isExternal(carried) || metadata['source'] !== 'falco' || metadata['surge'] !== 'true') return [];
      const parsed = this.#parts.parse({ namespace, name, scalerMetadata: metadata });
      if (parsed.kind !== 'valid' || parsed.trigger.source !== 'falco') return [];
      const trigger = { ...parsed.trigger, filter: { ...parsed.trigger.filter, acting: true } };
      return [{ scaledObject, index, trigger, lastTriedAt: never, lastAlertAt: never, isWaiting: false }];
    });
    const willing = candidates.filter(({ index, trigger }) => {
      const refusal = this.#parts.off ?? refusalOf(scaledObject, index, trigger);
      if (refusal !== undefined) this.#refuse(scaledObject, refusal);
      return refusal === undefined;
    });
    if (willing.length === 0) return;
    const end = new AbortController();
    this.#followed.set(key, { candidates: willing, end });
    for (const candidate of willing) {
      this.#watch(candidate, end.signal);
      this.#catchUp(candidate, end.signal);
    }
  }

  /** A ScaledObject, or this process, may come in the middle of an attack. */
  #catchUp(candidate: Candidate, signal: AbortSignal): void {
    const at = this.#parts.source.newestAlertAt(candidate.trigger);
    if (at !== undefined) this.#alerted(candidate, at, signal);
  }

  #watch(candidate: Candidate, signal: AbortSignal): void {
    this.#parts.source.watchAlerts(candidate.trigger, (at) => this.#alerted(candidate, at, signal), signal);
  }

  #alerted(candidate: Candidate, at: number, signal: AbortSignal): void {
    const { clock, maxAlertAgeMs } = this.#parts;
    candidate.lastAlertAt = Math.max(candidate.lastAlertAt, at);
    if (clock.now() - at <= maxAlertAgeMs) this.#schedule(candidate, signal);
  }

  #schedule(candidate: Candidate, signal: AbortSignal, leastMs = gatherMs): void {
    if (candidate.isWaiting || signal.aborted) return;
    candidate.isWaiting = true;
    const { clock } = this.#parts;
    const now = clock.now();
    const sinceMs = Math.max(0, now - candidate.lastTriedAt);
    clock.after(Math.max(leastMs, leastApartMs - sinceMs), () => {
      candidate.isWaiting = false;
      if (signal.aborted) return;
      candidate.lastTriedAt = clock.now();
      void this.#try(candidate, signal);
    });
  }

  async #try(candidate: Candidate, signal: AbortSignal): Promise<void> {
    const { namespace, name } = candidate.scaledObject;
    const { mayAct, observer, log } = this.#parts;
    if (!mayAct()) return;
    try {
      const outcome = await this.#surge(candidate);
      log.debug({ namespace, name, outcome: outcome ?? 'enough' }, 'considered a surge');
      if (outcome !== undefined) observer.surged(outcome);
      // KEDA brings a workload from 0 to its first replica: then it can be looked at again.
      const isFresh = this.#parts.clock.now() - candidate.lastAlertAt <= this.#parts.maxAlertAgeMs;
      if (isFresh && (outcome === 'not-running' || outcome === 'conflict')) {
        candidate.lastTriedAt = never;
        this.#schedule(candidate, signal, retryMs);
      }
    } catch (thrown) {
      const { code, message } = Failure.from(thrown);
      observer.surged('failed');
      log.warn({ namespace, name, code, reason: message }, 'cannot surge; the next alert tries again');
    }
  }

  /** Undefined: nothing was to be done. */
  async #surge(candidate: Candidate): Promise<string | undefined> {
    const { scaledObject: seen, index, trigger } = candidate;
    const { scaledObjects, objects, switches } = this.#parts;
    const scaledObject = await scaledObjects.fresh(seen);
    // What was edited since comes back by the watch.
    if (scaledObject === undefined || !isSameTrigger(scaledObject, seen, index)) return undefined;
    const workload = await objects.read(scaledObject.target, scaledObject.namespace);
    if (workload === undefined) return undefined;
    const paused = await switches.setFor(scaledObject.namespace, workload.labels);
    const refusal = refusalOf(scaledObject, index, trigger) ?? paused;
    if (refusal !== undefined) {
      this.#refuse(scaledObject, refusal);
      return 'refused';
    }
    return this.#raise(scaledObject, trigger);
  }

  /** The HPA, or anybody, may write at the same moment: then it is read and decided again. */
  async #raise(scaledObject: ScaledObject, trigger: FalcoTrigger): Promise<string | undefined> {
    const { objects, source, maxReplicas: cap } = this.#parts;
    const { namespace, target, maxReplicas = 0, scaleUpTolerance: tolerance } = scaledObject;
    for (let tries = 0; tries < mostTries; tries++) {
      const scale = await objects.scale(target, namespace);
      if (scale === undefined) return undefined;
      const { replicas: present, resourceVersion } = scale;
      if (present === 0) return 'not-running';
      const { value } = source.measure(trigger);
      const facts = { value, target: trigger.threshold, present, tolerance, maxReplicas, cap };
      const replicas = replicasFor(facts);
      if (replicas === undefined) return undefined;
      if (await objects.setScale(target, namespace, { replicas, resourceVersion })) {
        this.#tell(scaledObject, trigger, { value, present, replicas });
        return 'raised';
      }
    }
    return 'conflict';
  }

  #tell(
    scaledObject: ScaledObject,
    { metric, threshold }: FalcoTrigger,
    { value, present, replicas }: { value: number; present: number; replicas: number },
  ): void {
    const { namespace, name, target } = scaledObject;
    const { log, events } = this.#parts;
    log.info({ namespace, name, metric, value, from: present, to: replicas }, 'surged');
    const message = `${metric} is ${round(value)} at a target of ${threshold}: ${target.kind.toLowerCase()} ${target.name} goes from ${present} to ${replicas} replicas at once`;
    void events.write(scaledObject, { type: 'Normal', reason: 'Surged', message });
  }

  /** Once for each reason and version of the ScaledObject's author. */
  #refuse(scaledObject: ScaledObject, reason: string): void {
    const { namespace, name, uid } = scaledObject;
    const about = `${uid} ${reason}`;
    if (this.#told.has(about)) return;
    this.#remember(about);
    this.#parts.observer.surged('refused');
    this.#parts.log.warn({ namespace, name, reason }, 'does not surge');
    void this.#parts.events.write(scaledObject, {
      type: 'Warning',
      reason: 'SurgeRefused',
      message: `surge: "true" does nothing: ${reason}`,
    });
  }

  #remember(about: string): void {
    if (this.#told.size >= mostTold) this.#told.clear();
    this.#told.add(about);
  }
}

function isSameTrigger(now: ScaledObject, seen: ScaledObject, index: number): boolean {
  return now.uid === seen.uid && JSON.stringify(now.triggers[index]) === JSON.stringify(seen.triggers[index]);
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
