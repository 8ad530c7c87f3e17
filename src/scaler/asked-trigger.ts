import { Failure } from '#src/failure.ts';
import type { Asker, Sample, Source } from '#src/sources/source.ts';
import type { ParsedTrigger, ScaledObjectRef } from '#src/triggers/parse-trigger.ts';
import type { ScaledObjectId, Trigger } from '#src/triggers/trigger.ts';

/** Where one trigger stands, for people to read. What is not known is left undefined. Times are epoch ms. */
export interface TriggerStatus {
  readonly namespace: string;
  readonly name: string;
  readonly metricName: string | undefined;
  readonly source: string | undefined;
  readonly value: number | undefined;
  /** When the data behind the value was true. */
  readonly at: number | undefined;
  readonly active: boolean | undefined;
  readonly origin: Sample['origin'] | undefined;
  /** What a formula was given. */
  readonly inputs: Sample['inputs'] | undefined;
  readonly target: number | undefined;
  readonly lastError: string | undefined;
  readonly lastErrorAt: number | undefined;
  /** When KEDA last asked for a value or for activity. */
  readonly askedAt: number | undefined;
}

/** A valid trigger with the source that answers it. */
export interface Followed {
  readonly asked: AskedTrigger;
  readonly trigger: Trigger;
  readonly source: Source<Trigger>;
}

/** What the last GetMetrics said, and to whom: accounts may answer an authenticated peer only. */
interface Said {
  readonly at: number;
  readonly authenticated: boolean;
  readonly outcome: Sample | Failure;
}

/** A trigger as KEDA asks for it, and what became of its last calls. Equal references share one of these. */
export class AskedTrigger {
  readonly id: ScaledObjectId;
  readonly parsed: ParsedTrigger;
  readonly source: Source<Trigger> | undefined;
  /** The last call failed, and none has succeeded since. */
  failing = false;
  #claimedSource: string | undefined;
  #said: Said | undefined;
  #sample: Sample | undefined;
  #lastFailure: { message: string; at: number } | undefined;
  #askedAt: number | undefined;

  constructor(ref: ScaledObjectRef, parsed: ParsedTrigger, source: Source<Trigger> | undefined) {
    this.id = { namespace: ref.namespace, name: ref.name };
    this.parsed = parsed;
    this.source = source;
    this.#claimedSource = ref.scalerMetadata['source']?.slice(0, 64);
  }

  /** The name for messages and logs; empty where none could be read. */
  get metricName(): string {
    if (this.parsed.kind === 'valid') return this.parsed.trigger.metricName;
    return this.parsed.kind === 'refused' ? this.parsed.spec.metricName : '';
  }

  /** The trigger with its source; throws what is wrong with it. */
  follow(): Followed {
    const { parsed, source } = this;
    if (parsed.kind !== 'valid') throw parsed.failure;
    if (source !== undefined) return { asked: this, trigger: parsed.trigger, source };
    throw new Failure('internal', `no source is registered for "${parsed.trigger.source}"`);
  }

  learn(sample: Sample): void {
    this.#sample = sample;
  }

  ask(now: number): void {
    this.#askedAt = now;
  }

  fail(failure: Failure, now: number): void {
    this.#lastFailure = { message: failure.message, at: now };
  }

  /** Keeps what GetMetrics answers, for the IsActive that KEDA sends right after it. */
  say(outcome: Sample | Failure, asker: Asker, now: number): void {
    this.#said = { at: now, authenticated: asker.authenticated, outcome };
  }

  /** What GetMetrics said to such an asker within the last `withinMs`. */
  said(asker: Asker, now: number, withinMs: number): Sample | Failure | undefined {
    const said = this.#said;
    if (said === undefined || said.authenticated !== asker.authenticated) return undefined;
    const age = now - said.at;
    return age >= 0 && age < withinMs ? said.outcome : undefined;
  }

  /** Takes `outcome` back if it is still the last word: it was overtaken by a better one. */
  unsay(outcome: Sample | Failure): void {
    if (this.#said?.outcome === outcome) this.#said = undefined;
  }

  status(): TriggerStatus {
    return {
      ...this.id,
      metricName: this.metricName || undefined,
      source: this.parsed.kind === 'valid' ? this.parsed.trigger.source : this.#claimedSource,
      value: this.#sample?.value,
      at: this.#sample?.at,
      active: this.#sample?.active,
      origin: this.#sample?.origin,
      inputs: this.#sample?.inputs,
      target: this.#target(),
      lastError: this.#lastFailure?.message,
      lastErrorAt: this.#lastFailure?.at,
      askedAt: this.#askedAt,
    };
  }

  #target(): number | undefined {
    if (this.parsed.kind === 'valid') return this.source?.target(this.parsed.trigger);
    return this.parsed.kind === 'refused' ? this.parsed.spec.threshold : undefined;
  }
}
