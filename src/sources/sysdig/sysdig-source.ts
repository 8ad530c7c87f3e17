import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { Asker, Sample, Source } from '#src/sources/source.ts';
import type { Accounts } from '#src/sources/sysdig/accounts.ts';
import { interpret } from '#src/sources/sysdig/interpret.ts';
import type { Answer, Question, Questions } from '#src/sources/sysdig/question.ts';
import type { SysdigTrigger } from '#src/triggers/trigger.ts';

/** Told when a trigger lives on its last good value, and when it no longer does. */
export interface LastValueListener {
  bridged(trigger: SysdigTrigger, failure: Failure): void;
  measured(trigger: SysdigTrigger): void;
}

/** How long a trigger with a last value to fall back to waits for Sysdig; below any answer's deadline. */
const patienceMs = 1_000;

/** Sysdig Monitor as a source of numbers. */
export class SysdigSource implements Source<SysdigTrigger> {
  readonly #accounts: Accounts;
  readonly #questions: Questions;
  readonly #clock: Clock;
  readonly #listener: LastValueListener;
  readonly #asked = new WeakMap<SysdigTrigger, Question>();
  /** The sample of each trigger's latest answer: both are replaced together, and go with the trigger. */
  readonly #latest = new WeakMap<SysdigTrigger, { answer: Answer; sample: Sample }>();

  constructor(parts: {
    accounts: Accounts;
    questions: Questions;
    clock: Clock;
    listener: LastValueListener;
  }) {
    this.#accounts = parts.accounts;
    this.#questions = parts.questions;
    this.#clock = parts.clock;
    this.#listener = parts.listener;
  }

  measure(trigger: SysdigTrigger, asker: Asker): Sample | Promise<Sample> {
    const question = this.#question(trigger, asker);
    try {
      const answer = this.#questions.ask(question, trigger.cacheTtlMs);
      return answer instanceof Promise
        ? this.#await(trigger, question, answer)
        : this.#sample(trigger, answer);
    } catch (thrown) {
      return this.#lastValue(trigger, question, thrown);
    }
  }

  awaits(trigger: SysdigTrigger): string {
    const what = trigger.select.kind === 'query' ? 'the query' : trigger.select.metric;
    return `Sysdig's answer to ${what} (account ${trigger.account ?? 'default'})`;
  }

  watch(trigger: SysdigTrigger, asker: Asker, onSample: (sample: Sample) => void, signal: AbortSignal): void {
    let question: Question;
    try {
      question = this.#question(trigger, asker);
    } catch {
      // The calls that KEDA makes beside the stream tell the user why.
      return;
    }
    const onAnswer = (answer: Answer) => {
      let sample: Sample;
      try {
        sample = this.#sample(trigger, answer);
      } catch {
        return;
      }
      onSample(sample);
    };
    this.#questions.follow(question, trigger.cacheTtlMs, onAnswer, signal);
  }

  target(trigger: SysdigTrigger): number {
    return trigger.threshold;
  }

  watchTarget(): void {
    // Nothing changes a target yet: attacks will.
  }

  #question(trigger: SysdigTrigger, asker: Asker): Question {
    const account = this.#accounts.allow(trigger, asker);
    let question = this.#asked.get(trigger);
    if (question === undefined) {
      const { api, select, maxAgeMs, scaledObject } = trigger;
      question = { account, namespace: scaledObject.namespace, api, select, maxAgeMs };
      this.#asked.set(trigger, question);
    }
    return question;
  }

  async #await(trigger: SysdigTrigger, question: Question, answer: Promise<Answer>): Promise<Sample> {
    try {
      return this.#sample(trigger, await this.#patiently(trigger, question, answer));
    } catch (thrown) {
      return this.#lastValue(trigger, question, thrown);
    }
  }

  /** Where there is a last value to give, a silent Sysdig must not use up the caller's time. */
  #patiently(trigger: SysdigTrigger, question: Question, answer: Promise<Answer>): Promise<Answer> {
    if (trigger.onError !== 'lastValue' || this.#questions.recollect(question) === undefined) return answer;
    return new Promise((resolve, reject) => {
      const silent = new Failure('deadline', `${this.awaits(trigger)} has not come within ${patienceMs} ms`);
      const cancel = this.#clock.after(patienceMs, () => reject(silent));
      answer.then(resolve, reject).finally(cancel);
    });
  }

  #sample(trigger: SysdigTrigger, answer: Answer): Sample {
    const latest = this.#latest.get(trigger);
    if (latest?.answer === answer) return latest.sample;
    const sample = this.#read(trigger, answer);
    this.#latest.set(trigger, { answer, sample });
    this.#listener.measured(trigger);
    return sample;
  }

  #read(trigger: SysdigTrigger, answer: Answer): Sample {
    const reading = interpret(trigger, answer);
    if (reading !== undefined)
      return this.#sampleOf(trigger, reading.value, { at: reading.at, origin: 'measured' });
    if (trigger.metricUnavailableValue === undefined) {
      throw new Failure('not-found', `${noData(trigger)}; set metricUnavailableValue if that means a number`);
    }
    return this.#sampleOf(trigger, trigger.metricUnavailableValue, {
      at: answer.askedAt,
      origin: 'unavailable-value',
    });
  }

  /** With `onError: lastValue` a failed upstream is bridged, for a bounded time, by the last good value. */
  #lastValue(trigger: SysdigTrigger, question: Question, thrown: unknown): Sample {
    const failure = Failure.from(thrown);
    if (trigger.onError !== 'lastValue' || !bridged.has(failure.code)) throw failure;
    const last = this.#questions.recollect(question);
    if (last === undefined || this.#clock.now() - last.askedAt > trigger.staleMaxAgeMs) throw failure;
    const { value, at, active } = this.#read(trigger, last);
    this.#listener.bridged(trigger, failure);
    return { value, at, active, origin: 'last-value' };
  }

  #sampleOf(trigger: SysdigTrigger, value: number, { at, origin }: Pick<Sample, 'at' | 'origin'>): Sample {
    return { value, at, origin, active: value > trigger.activationThreshold };
  }
}

/** Failures of the road to Sysdig; a wrong question or a lost permission is never papered over. */
const bridged = new Set(['unavailable', 'rate-limited', 'deadline']);

function noData({ select }: SysdigTrigger): string {
  if (select.kind === 'query') return 'Sysdig has no data for the query';
  const of =
    select.service === undefined
      ? `workload ${select.workloadType ?? ''} ${select.workload}`
      : `service ${select.service}`;
  const where = select.cluster === undefined ? '' : ` of cluster ${select.cluster}`;
  return `Sysdig has no data for ${select.metric} of ${of.replace(/ +/g, ' ')} in namespace ${select.namespace}${where}`;
}
