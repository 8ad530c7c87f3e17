import { setImmediate as turn } from 'node:timers/promises';
import { targetsByName } from '#src/cluster/targets.ts';
import { Answers } from '#src/scaler/answers.ts';
import type { Account } from '#src/sources/sysdig/account.ts';
import { Accounts } from '#src/sources/sysdig/accounts.ts';
import { Broker } from '#src/sources/sysdig/broker/broker.ts';
import { SysdigClient } from '#src/sources/sysdig/client.ts';
import { HttpPool } from '#src/sources/sysdig/http-pool.ts';
import { SysdigSource } from '#src/sources/sysdig/sysdig-source.ts';
import type { SysdigObserver, Upstream } from '#src/sources/sysdig/upstream.ts';
import type { ScaledObjectRef } from '#src/triggers/parse-trigger.ts';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { noAttackSource, noAttacks } from '#test/harness/no-attacks.ts';
import { type Prometheus, type RecordedSeries, startPrometheus } from '#test/harness/prometheus.ts';
import { silentLog } from '#test/harness/silent-log.ts';
import { sysdigAccount } from '#test/harness/sysdig-account.ts';

const minutes = 5;
/** What Sysdig takes to answer, in simulated time. */
const upstreamMs = 300;
const pollMs = 30_000;
const syncMs = 15_000;
/** After an operator start all ScaledObjects poll within seconds of each other and keep that phase. */
const startWithinMs = 3_000;
/** GetMetrics and IsActive: two polls and four syncs a minute. */
const callsPerMinute = 12;

interface Case {
  readonly title: string;
  readonly refs: readonly ScaledObjectRef[];
  /** At least so many times fewer requests than one per call. */
  readonly atLeast: number;
}

/** How many requests reach the upstream in the first five minutes of KEDA's defaults, the start included. */
export async function benchEconomy() {
  const prometheus = await startPrometheus({ series: series() });
  try {
    const results = [];
    for (const one of cases()) results.push(await simulate(one, prometheus));
    return results;
  } finally {
    await prometheus.stop();
  }
}

function cases(): Case[] {
  const many = (count: number, metadata: (index: number) => Record<string, string>) =>
    Array.from({ length: count }, (_, index) => ({
      namespace: 'shop',
      name: `w-${index}`,
      scalerMetadata: { source: 'sysdig', threshold: '10', ...metadata(index) },
    }));
  return [
    {
      title: '64 queries',
      refs: many(64, (index) => ({ query: `sum(rate(metric_${index}_total[1m]))` })),
      atLeast: 15,
    },
    {
      title: '64 times one query',
      refs: many(64, () => ({ query: 'sum(rate(metric_0_total[1m]))' })),
      atLeast: 100,
    },
    {
      title: '1,000 workloads, one metric',
      refs: many(1_000, () => ({ metricName: 'requests' })),
      atLeast: 1_000,
    },
  ];
}

function series(): RecordedSeries[] {
  const now = Math.floor(Date.now() / 1000);
  const points = (value: (index: number) => number) =>
    Array.from({ length: 120 }, (_, index): [number, number] => [now - 120 + index * 10, value(index)]);
  const workloads = Array.from({ length: 1_000 }, (_, index) => ({
    name: 'requests',
    labels: {
      kube_cluster_name: 'c',
      kube_namespace_name: 'shop',
      kube_workload_name: `w-${index}`,
      kube_workload_type: 'deployment',
    },
    points: points(() => index),
  }));
  const counters = Array.from({ length: 64 }, (_, index) => ({
    name: `metric_${index}_total`,
    points: points((at) => at * 10 * (index + 1)),
  }));
  return [...workloads, ...counters];
}

async function simulate({ title, refs, atLeast }: Case, prometheus: Prometheus) {
  const clock = new ManualClock(Date.now());
  const pool = new HttpPool();
  const world = new World(clock, pool);
  const broker = new Broker({ upstream: world, clock, observer: world });
  const source = new SysdigSource({
    accounts: new Accounts(new Map([['default', sysdigAccount(prometheus.baseUrl)]]), undefined),
    attacks: noAttacks,
    targets: targetsByName,
    refusalOf: () => undefined,
    questions: broker,
    clock,
    patienceMs: 1_000,
    listener: { bridged() {}, measured() {} },
  });
  const answers = new Answers({
    parse: (ref) => parseTrigger(ref, { cluster: undefined }),
    sources: { sysdig: source, falco: noAttackSource },
    clock,
    log: silentLog,
    outcomes: { onFailure() {}, onSuccess() {} },
  });

  let answered = 0;
  let failed = 0;
  const ask = async (ref: ScaledObjectRef) => {
    try {
      const { metricName } = answers.metricSpec(ref);
      await answers.metrics(ref, metricName, { authenticated: false });
      await answers.isActive(ref, { authenticated: false });
      answered += 2;
    } catch {
      failed += 2;
    }
  };
  for (const [at, ref] of schedule(refs)) {
    await world.advanceTo(at);
    void ask(ref);
  }
  await world.advanceTo(minutes * 60_000);
  const requests = world.requests;
  broker.close();
  await pool.close();

  const perMinute = requests / minutes;
  const perCall = refs.length * callsPerMinute;
  return {
    title,
    requestsPerMinute: perMinute,
    onePerCall: perCall,
    timesFewer: Math.round(perCall / perMinute),
    atLeast,
    answered,
    failed,
  };
}

/** When KEDA polls and the HPA syncs each ScaledObject, ms from the start, in order. */
function schedule(refs: readonly ScaledObjectRef[]): [number, ScaledObjectRef][] {
  const events: [number, ScaledObjectRef][] = [];
  for (const [index, ref] of refs.entries()) {
    const phase = (startWithinMs * index) / refs.length;
    // The HPA follows its ScaledObject's first poll, with a phase of its own.
    const syncPhase = phase + 500 + ((index * 7919) % syncMs);
    for (let at = phase; at < minutes * 60_000; at += pollMs) events.push([at, ref]);
    for (let at = syncPhase; at < minutes * 60_000; at += syncMs) events.push([at, ref]);
  }
  return events.sort(([a], [b]) => a - b);
}

/** A real upstream in simulated time: requests really travel, and their answers count as `upstreamMs` later. */
class World implements Upstream, SysdigObserver {
  requests = 0;
  readonly #clock: ManualClock;
  readonly #client: SysdigClient;
  readonly #startedAt: number;
  #travelling = 0;

  constructor(clock: ManualClock, pool: HttpPool) {
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#client = new SysdigClient({ pool, clock, observer: this });
  }

  query(account: Account, expression: string, signal: AbortSignal) {
    return this.#travel(this.#client.query(account, expression, signal));
  }

  data(account: Account, request: Parameters<Upstream['data']>[1], signal: AbortSignal) {
    return this.#travel(this.#client.data(account, request, signal));
  }

  request(): void {
    this.requests += 1;
  }

  asked(): void {}
  merged(): void {}
  frozen(): void {}
  rateLimit(): void {}

  /** In small steps, so that an answer is there before the time that it arrives at has passed. */
  async advanceTo(ms: number): Promise<void> {
    for (
      let left = this.#startedAt + ms - this.#clock.now();
      left > 0;
      left = this.#startedAt + ms - this.#clock.now()
    ) {
      await this.#clock.advance(Math.min(left, upstreamMs / 3));
      while (this.#travelling > 0) await turn();
    }
  }

  async #travel<T>(request: Promise<T>): Promise<T> {
    this.#travelling += 1;
    const answer = await request.finally(() => {
      this.#travelling -= 1;
    });
    await new Promise<void>((resolve) => this.#clock.after(upstreamMs, resolve));
    return answer;
  }
}
