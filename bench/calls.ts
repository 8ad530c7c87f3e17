import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { KedaClient } from '#test/harness/keda-client.ts';
import { startScaler } from '#test/harness/scaler-process.ts';
import { closedLoop, type LoadResult, median, openLoop } from './load.ts';
import type { Sysdig } from './sysdig.ts';

/** One server under load: at full speed, and at a steady 3,000 calls a second. */
interface Round {
  readonly full: LoadResult;
  readonly cpuMicrosPerCall: number;
  readonly steady: LoadResult;
}

interface Contender {
  readonly call: () => Promise<unknown>;
  cpuMs(): Promise<number>;
}

const rounds = 5;
const roundMs = 3_000;
const ref = {
  namespace: 'shop',
  name: 'checkout',
  scalerMetadata: {
    scalerAddress: 'external-scaler-sysdig.keda.svc:6000',
    source: 'sysdig',
    query: 'sum(rate(http_requests_total{kube_namespace_name="shop", kube_workload_name="checkout"}[1m]))',
    threshold: '100',
    activationThreshold: '5',
  },
};

/** `GetMetrics` from memory beside a bare grpc-js server that answers a constant, in turns. */
export async function benchCalls(sysdig: Sysdig) {
  const scaler = await startScaler(sysdig.settings);
  const oursClient = new KedaClient(scaler.grpc);
  const name = (await oursClient.getMetricSpec(ref)).metricSpecs[0]?.metricName ?? '';
  const bareProcess = fork(new URL('bare-server.ts', import.meta.url), [name]);
  const { port } = await said<{ port: number }>(bareProcess);
  const bareClient = new KedaClient(`127.0.0.1:${port}`);
  const bare: Contender = {
    call: () => bareClient.getMetrics(ref, name),
    async cpuMs() {
      bareProcess.send({});
      return (await said<{ cpuMs: number }>(bareProcess)).cpuMs;
    },
  };
  const ours: Contender = {
    call: () => oursClient.getMetrics(ref, name),
    cpuMs: () => cpuOf(scaler.operations),
  };

  await Promise.all([bare, ours].map(({ call }) => closedLoop(call, { concurrency: 25, forMs: roundMs })));
  const results: { bare: Round; ours: Round }[] = [];
  for (let round = 0; round < rounds; round++) {
    results.push({ bare: await measure(bare), ours: await measure(ours) });
  }
  bareClient.close();
  oursClient.close();
  bareProcess.disconnect();
  await scaler.stop();
  return {
    bare: summary(results.map((round) => round.bare)),
    ours: summary(results.map((round) => round.ours)),
    costRatio: median(results.map((round) => round.ours.cpuMicrosPerCall / round.bare.cpuMicrosPerCall)),
    limit: 1.25,
  };
}

async function measure({ call, cpuMs }: Contender): Promise<Round> {
  const before = await cpuMs();
  const full = await closedLoop(call, { concurrency: 25, forMs: roundMs });
  const cpuMicrosPerCall = (((await cpuMs()) - before) * 1000) / full.calls;
  return { full, cpuMicrosPerCall, steady: await openLoop(call, { perSecond: 3_000, forMs: roundMs }) };
}

function summary(of: readonly Round[]) {
  const mid = (pick: (round: Round) => number) => Number(median(of.map(pick)).toFixed(2));
  return {
    callsPerSecond: mid(({ full }) => full.perSecond),
    cpuMicrosPerCall: mid(({ cpuMicrosPerCall }) => cpuMicrosPerCall),
    at25: { p50: mid(({ full }) => full.p50), p99: mid(({ full }) => full.p99) },
    at3000PerSecond: {
      perSecond: mid(({ steady }) => steady.perSecond),
      p50: mid(({ steady }) => steady.p50),
      p99: mid(({ steady }) => steady.p99),
    },
    failed: of.reduce((sum, { full, steady }) => sum + full.failed + steady.failed, 0),
  };
}

async function cpuOf(operations: string): Promise<number> {
  const text = await (await fetch(`${operations}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1]) * 1000;
}

async function said<T>(child: ChildProcess): Promise<T> {
  const [message] = await once(child, 'message');
  return message as T;
}
