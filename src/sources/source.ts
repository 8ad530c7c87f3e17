import type { TriggerCore } from '#src/triggers/trigger.ts';

/** One truth: the value, the time it was true, and the activity that follows from it. */
export interface Sample {
  readonly value: number;
  /** When the data behind the value was true, epoch ms; its age is now minus this. */
  readonly at: number;
  readonly active: boolean;
  /**
   * Where the value comes from: measured, the last good one (`onError: lastValue`), or `metricUnavailableValue`; or it is
   * measured and known to be too low; or there was nothing to measure, and what the trigger assumes stands in.
   */
  readonly origin: 'measured' | 'last-value' | 'unavailable-value' | 'lower-bound' | 'assumed';
  /** What a formula was given, for people. */
  readonly inputs?: Readonly<Record<string, number>>;
}

/** Who asks: whatever a request claims, only an authenticated peer is believed. */
export interface Asker {
  /** The peer has shown a client certificate that we accept. */
  readonly authenticated: boolean;
}

/**
 * A world of numbers. It answers three questions: what is the value now (and with it, is it active), what is the
 * target now, and tell me when either changes.
 *
 * `measure` answers at once where memory may answer, so that a warm call costs no promise; otherwise it gives a
 * promise that settles when the upstream does, which may be long after the caller has gone. It throws, or rejects
 * with, a `Failure`.
 */
export interface Source<T extends TriggerCore = TriggerCore> {
  measure(trigger: T, asker: Asker): Sample | Promise<Sample>;
  /** What a promised answer is waiting for, for the message of a caller whose time is up. */
  awaits(trigger: T): string;
  /**
   * Calls `onSample` with the current sample, once there is one, and with each new one until `signal` aborts.
   * Failures are not reported: an activity that is not known is not a change.
   */
  watch(trigger: T, asker: Asker, onSample: (sample: Sample) => void, signal: AbortSignal): void;
  /** The HPA's target now. Local: never waits for anything. */
  target(trigger: T): number;
  /** Calls `onChange` whenever `target` answers another number than before, until `signal` aborts. */
  watchTarget(trigger: T, onChange: () => void, signal: AbortSignal): void;
}
