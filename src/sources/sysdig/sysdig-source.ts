import type { Clock } from '#src/clock.ts';
import type { Targets } from '#src/cluster/targets.ts';
import { Failure } from '#src/failure.ts';
import type { Attacks } from '#src/sources/attacks.ts';
import type { Asker, Sample, Source } from '#src/sources/source.ts';
import type { Accounts } from '#src/sources/sysdig/accounts.ts';
import { interpret, requireYoung } from '#src/sources/sysdig/interpret.ts';
import { canonicalQuery } from '#src/sources/sysdig/promql/canonical.ts';
import type { Answer, Question, Questions } from '#src/sources/sysdig/question.ts';
import type { MetricOfWorkload, SysdigTrigger } from '#src/triggers/trigger.ts';

/** Told when a trigger lives on its last good value, and when it no longer does. */
export interface LastValueListener {
  bridged(trigger: SysdigTrigger, failure: Failure): void;
  measured(trigger: SysdigTrigger): void;
}

export interface SysdigSourceParts {
  readonly accounts: Accounts;
  readonly attacks: Attacks;
  /** What triggers mean that name no workload. */
  readonly targets: Targets;
  /** What the ScaledObject forbids, in words: a trigger of it that cannot work. */
  readonly refusalOf: (trigger: SysdigTrigger) => string | undefined;
  readonly questions: Questions;
  readonly clock: Clock;
  readonly listener: LastValueListener;
  /** How long a trigger with a last value to fall back to waits for Sysdig: less than an answer may take. */
  readonly patienceMs: number;
}

/** What was made of a trigger's latest answer, and its last good sample; both go with the trigger. */
interface Known {
  answer?: Answer;
  sample?: Sample;
  good?: Sample;
}

/** Sysdig Monitor as a source of numbers. */
export class SysdigSource implements Source<SysdigTrigger> {
  readonly #parts: SysdigSourceParts;
  readonly #asked = new WeakMap<SysdigTrigger, Question>();
  readonly #known = new WeakMap<SysdigTrigger, Known>();

  constructor(parts: SysdigSourceParts) {
    this.#parts = parts;
  }

  measure(trigger: SysdigTrigger, asker: Asker): Sample | Promise<Sample> {
    const refusal = this.#parts.refusalOf(trigger);
    if (refusal !== undefined) throw new Failure('invalid', refusal);
    const question = this.#question(trigger, asker);
    try {
      const answer = this.#parts.questions.ask(question, trigger.cacheTtlMs);
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
    const { select } = trigger;
    let followed: Question | undefined;
    let following = new AbortController();
    const attend = () => {
      const question = this.#attempt(trigger, asker);
      if (question === followed || question === undefined) return;
      following.abort();
      following = new AbortController();
      followed = question;
      const until = AbortSignal.any([signal, following.signal]);
      this.#follow(trigger, question, onSample, until);
    };
    attend();
    if (select.kind === 'metric' && select.follows !== undefined) {
      this.#parts.targets.watch(select.follows, attend, signal);
    }
  }

  #attempt(trigger: SysdigTrigger, asker: Asker): Question | undefined {
    try {
      return this.#question(trigger, asker);
    } catch {
      // The calls that KEDA makes beside the stream tell the user why.
      return undefined;
    }
  }

  #follow(
    trigger: SysdigTrigger,
    question: Question,
    onSample: (sample: Sample) => void,
    signal: AbortSignal,
  ): void {
    const onAnswer = (answer: Answer) => {
      let sample: Sample;
      try {
        sample = this.#sample(trigger, answer);
      } catch {
        return;
      }
      onSample(sample);
    };
    this.#parts.questions.follow(question, trigger.cacheTtlMs, onAnswer, signal);
  }

  /** The threshold, or the lower one while the workload is under attack. */
  target({ threshold, underAttack }: SysdigTrigger): number {
    if (underAttack === undefined || !this.#parts.attacks.isUnderAttack(underAttack)) return threshold;
    return underAttack.threshold;
  }

  watchTarget({ underAttack }: SysdigTrigger, onChange: () => void, signal: AbortSignal): void {
    if (underAttack !== undefined) this.#parts.attacks.watch(underAttack, onChange, signal);
  }

  #question(trigger: SysdigTrigger, asker: Asker): Question {
    const account = this.#parts.accounts.allow(trigger, asker);
    const { api, maxAgeMs, scaledObject, select } = trigger;
    const workload = select.kind === 'metric' ? this.#workload(select) : undefined;
    let question = this.#asked.get(trigger);
    if (
      question === undefined ||
      (question.select.kind === 'metric' && question.select.workload !== workload)
    ) {
      const asked =
        select.kind === 'query'
          ? { ...select, query: canonicalQuery(select.query) }
          : { ...select, workload, follows: undefined };
      question = { account, namespace: scaledObject.namespace, api, select: asked, maxAgeMs };
      this.#asked.set(trigger, question);
    }
    return question;
  }

  #workload({ follows, workload }: MetricOfWorkload): string | undefined {
    return follows === undefined ? workload : this.#parts.targets.of(follows).name;
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
    if (trigger.onError !== 'lastValue' || this.#good(trigger, question) === undefined) return answer;
    const { clock, patienceMs } = this.#parts;
    return new Promise((resolve, reject) => {
      const silent = new Failure('deadline', `${this.awaits(trigger)} has not come within ${patienceMs} ms`);
      const cancel = clock.after(patienceMs, () => reject(silent));
      answer.then(resolve, reject).finally(cancel);
    });
  }

  #sample(trigger: SysdigTrigger, answer: Answer): Sample {
    const known = this.#knownOf(trigger);
    if (known.answer !== answer || known.sample === undefined) {
      known.sample = this.#read(trigger, answer);
      known.answer = answer;
      this.#parts.listener.measured(trigger);
    }
    // Memory may answer a while longer than the data is young enough.
    if (known.sample.origin === 'measured') {
      requireYoung(known.sample.at, this.#parts.clock.now(), trigger.maxAgeMs);
      known.good = known.sample;
    }
    return known.sample;
  }

  #read(trigger: SysdigTrigger, answer: Answer): Sample {
    const reading = interpret(trigger, answer);
    if (reading !== undefined)
      return sampleOf(trigger, reading.value, { at: reading.at, origin: 'measured' });
    if (trigger.metricUnavailableValue === undefined) {
      throw new Failure(
        'not-found',
        `${noData(this.#asked.get(trigger) ?? trigger)}; set metricUnavailableValue if that means a number`,
      );
    }
    return sampleOf(trigger, trigger.metricUnavailableValue, {
      at: answer.askedAt,
      origin: 'unavailable-value',
    });
  }

  /** With `onError: lastValue` a failed upstream is bridged, for a bounded time, by the last good value. */
  #lastValue(trigger: SysdigTrigger, question: Question, thrown: unknown): Sample {
    const failure = Failure.from(thrown);
    if (trigger.onError !== 'lastValue' || !bridged.has(failure.code)) throw failure;
    const good = this.#good(trigger, question);
    if (good === undefined) throw failure;
    this.#parts.listener.bridged(trigger, failure);
    return { ...good, origin: 'last-value' };
  }

  /** The last good sample, at most `staleMaxAge` old: the trigger's own, or what memory holds for its question. */
  #good(trigger: SysdigTrigger, question: Question): Sample | undefined {
    const known = this.#knownOf(trigger);
    known.good ??= this.#recollected(trigger, question);
    if (known.good === undefined) return undefined;
    // A time far ahead was noted by a clock that has been set back since: as old as nobody knows.
    const ageMs = Math.abs(this.#parts.clock.now() - known.good.at);
    return ageMs <= trigger.staleMaxAgeMs ? known.good : undefined;
  }

  /** A trigger whose threshold was edited is another trigger, and asks the same question. */
  #recollected(trigger: SysdigTrigger, question: Question): Sample | undefined {
    const answer = this.#parts.questions.recollect(question);
    if (answer === undefined) return undefined;
    try {
      const sample = this.#read(trigger, answer);
      return sample.origin === 'measured' ? sample : undefined;
    } catch {
      return undefined;
    }
  }

  #knownOf(trigger: SysdigTrigger): Known {
    let known = this.#known.get(trigger);
    if (known === undefined) {
      known = {};
      this.#known.set(trigger, known);
    }
    return known;
  }
}

function sampleOf(
  trigger: SysdigTrigger,
  value: number,
  { at, origin }: Pick<Sample, 'at' | 'origin'>,
): Sample {
  return { value, at, origin, active: value > trigger.activationThreshold };
}

/** Failures of the road to Sysdig; a wrong question or a lost permission is never papered over. */
const bridged = new Set(['unavailable', 'rate-limited', 'deadline']);

function noData({ select }: Pick<SysdigTrigger, 'select'>): string {
  if (select.kind === 'query') return 'Sysdig has no data for the query';
  const of =
    select.service === undefined
      ? `workload ${select.workloadType ?? ''} ${select.workload}`
      : `service ${select.service}`;
  const where = select.cluster === undefined ? '' : ` of cluster ${select.cluster}`;
  return `Sysdig has no data for ${select.metric} of ${of.replace(/ +/g, ' ')} in namespace ${select.namespace}${where}`;
}
