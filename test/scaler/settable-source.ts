import type { Asker, Sample, Source } from '#src/sources/source.ts';
import type { Trigger } from '#src/triggers/trigger.ts';

type Measured = Sample | Promise<Sample>;

/** A source that answers what a test sets, and tells its watchers at once. */
export class SettableSource implements Source<Trigger> {
  readonly askers: Asker[] = [];
  measured = 0;
  watchers = 0;
  #answer: () => Measured = () => sample(1);
  #target: number | undefined;
  readonly #onSample = new Set<(sample: Sample) => void>();
  readonly #onTarget = new Set<() => void>();

  /** What `measure` gives from now on; a function may throw. */
  answers(answer: Measured | (() => Measured)): void {
    this.#answer = typeof answer === 'function' ? answer : () => answer;
  }

  /** Answers the sample, and tells the watchers. */
  set(now: Sample): void {
    this.answers(now);
    for (const onSample of [...this.#onSample]) onSample(now);
  }

  setTarget(target: number): void {
    this.#target = target;
    for (const onChange of [...this.#onTarget]) onChange();
  }

  measure(_trigger: Trigger, asker: Asker): Measured {
    this.measured += 1;
    this.askers.push(asker);
    return this.#answer();
  }

  awaits(trigger: Trigger): string {
    return `the answer to ${trigger.metricName}`;
  }

  watch(_trigger: Trigger, _asker: Asker, onSample: (sample: Sample) => void, signal: AbortSignal): void {
    this.watchers += 1;
    this.#onSample.add(onSample);
    signal.addEventListener('abort', () => {
      this.watchers -= 1;
      this.#onSample.delete(onSample);
    });
    const now = this.#answer();
    if (!(now instanceof Promise)) onSample(now);
  }

  target(trigger: Trigger): number {
    return this.#target ?? trigger.threshold;
  }

  watchTarget(_trigger: Trigger, onChange: () => void, signal: AbortSignal): void {
    this.#onTarget.add(onChange);
    signal.addEventListener('abort', () => this.#onTarget.delete(onChange));
  }
}

/** Active above 0. */
export function sample(value: number): Sample {
  return { value, at: 1_760_000_000_000, active: value > 0, origin: 'measured' };
}
