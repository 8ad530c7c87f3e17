import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { falcoAlert } from '#test/harness/falco-alert.ts';
import { KedaClient } from '#test/harness/keda-client.ts';
import { type ScalerProcess, startScaler } from '#test/harness/scaler-process.ts';
import { openLoop, percentile } from '../load.ts';
import { dataFolder } from './data-folder.ts';
import { portOf, runLoad } from './ingest.ts';
import { Watchers } from './watchers.ts';

const metadata = { source: 'falco', metric: 'infections', threshold: '1', window: '5m' };

/** Milliseconds. */
export interface Latencies {
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** From the moment an alert is posted until `true` can be read from the stream, while nothing else happens. */
export async function benchPushIdle() {
  return withScaler(async (stage) => {
    await stage.open(300);
    const pushes: number[] = [];
    for (let index = 0; index < 300; index++) {
      pushes.push(await stage.attack(index));
      await pause(15);
    }
    return { ...latencies(pushes.slice(50)), limitP99: 5 };
  });
}

/** The same with 1,000 streams open, 1,000 GetMetrics and 2,000 alerts a second. */
export async function benchPushUnderLoad() {
  return withScaler(async (stage) => {
    const streams = 1_000;
    const measured = 400;
    await stage.open(streams);
    const calls = new KedaClient(stage.scaler.grpc);
    const ref = refOf(streams + 1);
    const name = (await calls.getMetricSpec(ref)).metricSpecs[0]?.metricName ?? '';
    const load = {
      port: portOf(stage.scaler),
      path: '/ingest/falco',
      token: stage.token,
      connections: 50,
      perRequest: 1,
      pods: 1_000,
      perSecond: 2_000,
      forMs: 24_000,
    };
    const alerts = runLoad(load);
    await pause(3_000);
    const polls = openLoop(() => calls.getMetrics(ref, name), { perSecond: 1_000, forMs: 20_000 });
    const pushes: Promise<number>[] = [];
    for (let index = 0; index < measured; index++) {
      pushes.push(stage.attack(index));
      await pause(45);
    }
    const { p50, p99, max, failed, perSecond } = await polls;
    const push = latencies(await Promise.all(pushes));
    const taken = await alerts;
    calls.close();
    return { push, getMetrics: { perSecond, failed, p50, p99, max }, alerts: taken, limitP99: 15 };
  });
}

/**
 * One alert about a workload that 1,000 streams watch: when the last of them has its `true`. Judged by what node:http2
 * reads; `grpcJs` is the same with a grpc-js client, which does more on the same cores.
 */
export async function benchFanOut() {
  return withScaler(async ({ scaler, post }) => {
    const lean = new Watchers(scaler.grpc);
    const keda = new KedaClient(scaler.grpc);
    const byHttp2: number[] = [];
    const byGrpcJs: number[] = [];
    for (let round = 0; round < 32; round++) {
      const refs = Array.from({ length: 1_000 }, (_, index) => refOf(index, `workload-${round}`));
      await lean.open(refs);
      await pause(300);
      let startedAt = performance.now();
      post(`workload-${round}`);
      byHttp2.push((await lean.lastPush()) - startedAt);
      lean.endAll();

      const others = refs.map((ref) => ({
        ...ref,
        scalerMetadata: { ...metadata, workload: `other-${round}` },
      }));
      const streams = others.map((ref) => keda.streamIsActive(ref));
      await Promise.all(streams.map((stream) => stream.opened()));
      await pause(300);
      startedAt = performance.now();
      post(`other-${round}`);
      await Promise.all(streams.map((stream) => stream.received(1)));
      byGrpcJs.push(performance.now() - startedAt);
      for (const stream of streams) stream.cancel();
      await pause(300);
    }
    lean.close();
    keda.close();
    return { ...latencies(byHttp2.slice(2)), limitMs: 30, grpcJs: latencies(byGrpcJs.slice(2)) };
  });
}

interface Stage {
  readonly scaler: ScalerProcess;
  readonly token: string;
  /** Posts one alert about a workload. */
  post(workload: string): void;
  /** Opens streams, each about a workload of its own. */
  open(count: number): Promise<void>;
  /** Posts one alert about the workload of the stream; resolves, in ms, when it has its true. */
  attack(index: number): Promise<number>;
}

async function withScaler<T>(run: (stage: Stage) => Promise<T>): Promise<T> {
  const data = dataFolder();
  const scaler = await startScaler(data.settings);
  const keda = new KedaClient(scaler.grpc);
  const send = poster(portOf(scaler), data.token);
  const post = (workload: string) =>
    send(JSON.stringify(falcoAlert({ pod: `${workload}-7d9f8b6c5d-x2x4z` })));
  const receivers: Promise<number>[] = [];
  const result = await run({
    scaler,
    token: data.token,
    post,
    async open(count) {
      for (let index = 0; index < count; index++) {
        const stream = keda.streamIsActive(refOf(index));
        const received = stream.received(1).then(() => performance.now());
        // Some are never attacked, and end with the scaler.
        received.catch(() => {});
        receivers.push(received);
        await stream.opened();
      }
    },
    async attack(index) {
      const startedAt = performance.now();
      post(nameOf(index));
      return ((await receivers[index]) ?? Number.NaN) - startedAt;
    },
  });
  keda.close();
  await scaler.stop();
  data.remove();
  return result;
}

function nameOf(index: number): string {
  return `service-${index}`;
}

function refOf(index: number, workload = nameOf(index)) {
  return { namespace: 'shop', name: nameOf(index), scalerMetadata: { ...metadata, workload } };
}

function poster(port: number, token: string): (body: string) => void {
  const agent = new Agent({ keepAlive: true });
  return (body) => {
    const posted = request({
      agent,
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/ingest/falco',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    });
    posted.on('response', (response) => response.resume());
    posted.end(body);
  };
}

function latencies(values: readonly number[]): Latencies {
  return {
    samples: values.length,
    p50: percentile(values, 0.5),
    p99: percentile(values, 0.99),
    max: percentile(values, 1),
  };
}
