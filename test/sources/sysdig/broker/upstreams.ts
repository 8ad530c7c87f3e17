import { Failure } from '#src/failure.ts';
import type { Account } from '#src/sources/sysdig/account.ts';
import type { Question } from '#src/sources/sysdig/question.ts';
import type { Series, SysdigObserver, Upstream, UpstreamAnswer } from '#src/sources/sysdig/upstream.ts';
import type { MetricOfWorkload } from '#src/triggers/trigger.ts';
import type { ManualClock } from '#test/harness/manual-clock.ts';
import { sysdigAccount } from '#test/harness/sysdig-account.ts';

/** An account without a network. */
export function account(changes: Partial<Account> = {}): Account {
  return sysdigAccount('http://127.0.0.1:1', changes);
}

const one = account();

export function written(query: string, changes: Partial<Question> = {}): Question {
  return {
    account: one,
    namespace: 'shop',
    api: 'promql',
    select: { kind: 'query', query },
    maxAgeMs: 120_000,
    ...changes,
  };
}

export function metric(changes: Partial<MetricOfWorkload> = {}): MetricOfWorkload {
  return {
    kind: 'metric',
    metric: 'net.http.request.count',
    workload: 'web',
    follows: undefined,
    workloadType: undefined,
    service: undefined,
    namespace: 'shop',
    cluster: undefined,
    filter: [],
    timeAggregation: 'timeAvg',
    groupAggregation: 'sum',
    windowMs: 60_000,
    ...changes,
  };
}

export function ofWorkload(changes: Partial<MetricOfWorkload> = {}, rest: Partial<Question> = {}): Question {
  const select = metric(changes);
  return { account: one, namespace: select.namespace, api: 'promql', select, maxAgeMs: 120_000, ...rest };
}

export const silentObserver: SysdigObserver = {
  request() {},
  asked() {},
  merged() {},
  frozen() {},
  rateLimit() {},
};

export type Reply = (expression: string, call: number) => UpstreamAnswer;

/** Answers by a function, after `delayMs` of a clock, and keeps what it was asked. */
export class ScriptedUpstream implements Upstream {
  readonly asked: string[] = [];
  readonly askedAt: number[] = [];
  readonly signals: AbortSignal[] = [];
  delayMs = 0;
  reply: Reply;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock, reply: Reply) {
    this.#clock = clock;
    this.reply = reply;
  }

  async query(_: Account, expression: string, signal: AbortSignal): Promise<UpstreamAnswer> {
    const call = this.asked.push(expression);
    this.askedAt.push(this.#clock.now());
    this.signals.push(signal);
    if (this.delayMs > 0) await new Promise<void>((resolve) => this.#clock.after(this.delayMs, resolve));
    return this.reply(expression, call);
  }

  async data(account: Account, request: object, signal: AbortSignal): Promise<UpstreamAnswer> {
    return this.query(account, JSON.stringify(request), signal);
  }
}

export function answer(...series: Series[]): UpstreamAnswer {
  return { series, warnings: [] };
}

export function row(value: number, labels: Record<string, string> = {}): Series {
  return { labels, value, at: 0 };
}

/**
 * Answers like Sysdig would, as far as the shape of our own requests goes: each slot of a batch with `value`, each
 * workload that a grouped query names with one row.
 */
export function obliging(value = 1): Reply {
  return (expression) => {
    const workloads = [
      ...expression.matchAll(/kube_namespace_name(=~?)"([^"]*)",kube_workload_name=~?"([^"]*)"/g),
    ];
    if (workloads.length > 0 && !expression.startsWith('label_replace')) {
      return answer(
        ...workloads.flatMap(([, , namespaces = '', names = '']) =>
          namespaces.split('|').flatMap((namespace) =>
            names.split('|').map((name) =>
              row(value, {
                kube_namespace_name: namespace,
                kube_workload_name: name,
                kube_workload_type: 'deployment',
              }),
            ),
          ),
        ),
      );
    }
    const slots = [...expression.matchAll(/,"external_scaler_slot","(\d+)","",""\)/g)];
    if (slots.length === 0) return answer(row(value));
    return answer(...slots.map(([, slot = '']) => row(value, { external_scaler_slot: slot })));
  };
}

export function refusal(httpStatus = 400): Failure {
  return new Failure('invalid', 'Sysdig refuses: bad_data', { httpStatus });
}
