import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import { RecentlyUsed } from '#src/recently-used.ts';
import { AskedTrigger, type Followed, type TriggerStatus } from '#src/scaler/asked-trigger.ts';
import { requireName, tooLate } from '#src/scaler/call-failures.ts';
import { refKey } from '#src/scaler/ref-key.ts';
import { waitFor } from '#src/scaler/wait-for.ts';
import {
  requireRepresentable,
  type WireSpec,
  type WireValue,
  wireSpec,
  wireValue,
} from '#src/scaler/wire.ts';
import type { Sources } from '#src/sources/registry.ts';
import type { Asker, Sample } from '#src/sources/source.ts';
import type { ParsedTrigger, ScaledObjectRef } from '#src/triggers/parse-trigger.ts';
import type { ScaledObjectId, Trigger } from '#src/triggers/trigger.ts';

/** An asker, and the word that it has gone. */
export interface Caller extends Asker {
  readonly signal?: AbortSignal | undefined;
}

/** Told of calls that fail, and of the first that succeeds again; log lines are summed up from here. */
export interface CallOutcomes {
  onFailure(scaledObject: ScaledObjectId, metricName: string, failure: Failure): void;
  onSuccess(scaledObject: ScaledObjectId, metricName: string): void;
}

export interface AnswersOptions {
  readonly parse: (ref: ScaledObjectRef) => ParsedTrigger;
  readonly sources: Sources;
  readonly clock: Clock;
  readonly log: Log;
  readonly outcomes: CallOutcomes;
  /** Told of each trigger that is asked about for the first time. */
  readonly onTrigger?: ((trigger: Trigger, ref: ScaledObjectRef) => void) | undefined;
  /** Told of a trigger that has no spec, whose reason KEDA swallows: once for each reason. */
  readonly onUnreadable?: ((scaledObject: ScaledObjectId, failure: Failure) => void) | undefined;
  /** Whether the cluster's own ScaledObject carries exactly this trigger: then its request is no mere claim. */
  readonly isCarried?: ((ref: ScaledObjectRef) => boolean) | undefined;
  /** Every answer is given within it, milliseconds; 2000 unless told. KEDA sets no deadline on its polls. */
  readonly answerTimeoutMs?: number | undefined;
  /** How many triggers are remembered; 20,000 unless told. */
  readonly capacity?: number | undefined;
}

/** KEDA asks IsActive right after GetMetrics; within this time both come from one sample. */
const oneSampleMs = 5_000;
/** In characters: hostile metadata may not fill the memory, nor one large trigger push out many small ones. */
const largestMemory = 32 * 1024 * 1024;
const largestKey = 128 * 1024;

/**
 * What KEDA is told, without a word of gRPC. Everything that cannot be answered is thrown as a `Failure`: `invalid`
 * for a refused trigger, `not-found` for a metric name that is not its own, `deadline` when the time is up, and
 * whatever the source says.
 */
export class Answers {
  readonly #options: AnswersOptions;
  readonly #answerTimeoutMs: number;
  readonly #asked: RecentlyUsed<AskedTrigger>;
  readonly #told = new RecentlyUsed<true>({ entries: 20_000, weight: largestMemory });

  constructor(options: AnswersOptions) {
    this.#options = options;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? 2_000;
    this.#asked = new RecentlyUsed({ entries: options.capacity ?? 20_000, weight: largestMemory });
  }

  /**
   * Name and target; local, never waits. A refused trigger still answers its spec, as a failing GetMetricSpec also
   * fails the HPA's queries for the ScaledObject's other triggers (keda#5914). Throws for an unreadable one, whose
   * text KEDA swallows: the log tells it once.
   */
  metricSpec(ref: ScaledObjectRef, _asker?: Asker): WireSpec {
    return this.specOf(this.asked(ref));
  }

  specOf(asked: AskedTrigger): WireSpec {
    const { parsed } = asked;
    if (parsed.kind === 'unreadable') throw this.#tellOnce(asked, parsed.failure);
    if (parsed.kind === 'refused') return wireSpec(parsed.spec.metricName, parsed.spec.threshold);
    try {
      const { trigger, source } = asked.follow();
      return wireSpec(trigger.metricName, source.target(trigger));
    } catch (thrown) {
      throw this.#fail(asked, thrown);
    }
  }

  /** The one value of the metric asked for; at once where memory answers, else a promise. */
  metrics(ref: ScaledObjectRef, metricName: string, caller: Caller): WireValue | Promise<WireValue> {
    const asker = this.vouch(ref, caller);
    const asked = this.asked(ref);
    const now = this.#options.clock.now();
    asked.ask(now);
    let measured: Sample | Promise<Sample>;
    try {
      const followed = asked.follow();
      requireName(followed.trigger, metricName);
      measured = this.#measure(followed, asker);
    } catch (thrown) {
      const failure = this.#fail(asked, thrown);
      asked.say(failure, asker, now);
      throw failure;
    }
    if (measured instanceof Promise) return this.#metricsLater(asked, measured, { metricName, asker });
    asked.say(measured, asker, now);
    return wireValue(metricName, measured.value);
  }

  /** Whether the value is above the activation threshold: from the sample that GetMetrics has just answered, if any. */
  isActive(ref: ScaledObjectRef, caller: Caller): boolean | Promise<boolean> {
    const asker = this.vouch(ref, caller);
    const asked = this.asked(ref);
    const now = this.#options.clock.now();
    asked.ask(now);
    const said = asked.said(asker, now, oneSampleMs);
    if (said instanceof Failure) throw said;
    if (said !== undefined) return said.active;
    try {
      const measured = this.#measure(asked.follow(), asker);
      if (!(measured instanceof Promise)) return measured.active;
      return measured.then(
        (sample) => sample.active,
        (thrown: unknown) => {
          throw this.#failWaiting(asked, thrown, asker);
        },
      );
    } catch (thrown) {
      throw this.#fail(asked, thrown);
    }
  }

  /** Whoever asks for a trigger that the cluster knows is as good as one who has shown who they are. */
  vouch(ref: ScaledObjectRef, caller: Caller): Caller {
    const { isCarried } = this.#options;
    if (caller.authenticated || isCarried === undefined || !isCarried(ref)) return caller;
    return {
      authenticated: true,
      get signal() {
        return caller.signal;
      },
    };
  }

  /** The memory of this trigger. */
  asked(ref: ScaledObjectRef): AskedTrigger {
    const key = refKey(ref);
    const known = this.#asked.get(key);
    if (known !== undefined) return known;
    const parsed = this.#parse(ref);
    const source = parsed.kind === 'valid' ? this.#options.sources[parsed.trigger.source] : undefined;
    const asked = new AskedTrigger(ref, parsed, source);
    if (parsed.kind === 'valid') this.#options.onTrigger?.(parsed.trigger, ref);
    if (key.length <= largestKey) this.#asked.set(key, asked);
    return asked;
  }

  /** The trigger with its source, for a stream to follow; throws what is wrong with it, reported. */
  followed(ref: ScaledObjectRef): Followed {
    const asked = this.asked(ref);
    try {
      return asked.follow();
    } catch (thrown) {
      throw this.#fail(asked, thrown);
    }
  }

  /** Where every remembered trigger stands: at most `capacity` of them. */
  statuses(): TriggerStatus[] {
    return Array.from(this.#asked.values(), (asked) => asked.status());
  }

  #parse(ref: ScaledObjectRef): ParsedTrigger {
    try {
      return this.#options.parse(ref);
    } catch (thrown) {
      return { kind: 'unreadable', failure: Failure.from(thrown) };
    }
  }

  #measure(followed: Followed, asker: Caller): Sample | Promise<Sample> {
    const measured = followed.source.measure(followed.trigger, asker);
    if (measured instanceof Promise) return this.#await(followed, measured, asker);
    return this.#take(followed.asked, measured);
  }

  #take(asked: AskedTrigger, sample: Sample): Sample {
    requireRepresentable(sample.value);
    asked.learn(sample);
    if (asked.failing) {
      asked.failing = false;
      this.#options.outcomes.onSuccess(asked.id, asked.metricName);
    }
    return sample;
  }

  async #await(
    { asked, trigger, source }: Followed,
    flight: Promise<Sample>,
    asker: Caller,
  ): Promise<Sample> {
    const timeoutMs = this.#answerTimeoutMs;
    const sample = await waitFor(flight, {
      clock: this.#options.clock,
      timeoutMs,
      late: () => {
        const failure = tooLate(timeoutMs, source.awaits(trigger));
        // Once the flight has landed, the memory answers better than this failure.
        const unsay = () => asked.unsay(failure);
        flight.then(unsay, unsay);
        return failure;
      },
      gone: () => new Failure('deadline', 'the caller cancelled the call'),
      signal: asker.signal,
    });
    return this.#take(asked, sample);
  }

  async #metricsLater(
    asked: AskedTrigger,
    flight: Promise<Sample>,
    { metricName, asker }: { metricName: string; asker: Caller },
  ): Promise<WireValue> {
    try {
      const sample = await flight;
      asked.say(sample, asker, this.#options.clock.now());
      return wireValue(metricName, sample.value);
    } catch (thrown) {
      const failure = this.#failWaiting(asked, thrown, asker);
      if (!asker.signal?.aborted) asked.say(failure, asker, this.#options.clock.now());
      throw failure;
    }
  }

  /** A caller who has gone hears no failure, so none is reported. */
  #failWaiting(asked: AskedTrigger, thrown: unknown, asker: Caller): Failure {
    return asker.signal?.aborted ? Failure.from(thrown) : this.#fail(asked, thrown);
  }

  #fail(asked: AskedTrigger, thrown: unknown): Failure {
    const failure = Failure.from(thrown);
    asked.fail(failure, this.#options.clock.now());
    asked.failing = true;
    this.#options.outcomes.onFailure(asked.id, asked.metricName, failure);
    return failure;
  }

  #tellOnce(asked: AskedTrigger, failure: Failure): Failure {
    const { namespace, name } = asked.id;
    asked.fail(failure, this.#options.clock.now());
    const about = `${namespace}/${name} ${failure.message}`;
    if (this.#told.get(about)) return failure;
    this.#told.set(about, true);
    this.#options.log.warn(
      { namespace, name, code: failure.code },
      `GetMetricSpec refused: ${failure.message}`,
    );
    this.#options.onUnreadable?.(asked.id, failure);
    return failure;
  }
}
