import { setTimeout as pause } from 'node:timers/promises';
import { KedaClient } from '#test/harness/keda-client.ts';
import { startScaler } from '#test/harness/scaler-process.ts';
import { openLoop } from './load.ts';
import type { Sysdig } from './sysdig.ts';

const slowMs = 1_500;
const verySlowMs = 5_000;
const warmForMs = 30_000;

/** What KEDA waits while Sysdig takes its time. */
export async function benchLatency(sysdig: Sysdig) {
  const scaler = await startScaler(sysdig.settings);
  const client = new KedaClient(scaler.grpc);
  try {
    return { warm: await warm(client, sysdig), cold: await cold(client, sysdig) };
  } finally {
    sysdig.fake.delayMs = 0;
    client.close();
    await scaler.stop();
  }
}

/** Asked 20 times a second for half a minute, over several refreshes that take 1.5 s each. */
async function warm(client: KedaClient, { fake }: Sysdig) {
  fake.delayMs = slowMs;
  const ask = await asking(client, 'warm');
  await until(ask);
  const before = fake.total;
  const { calls, failed, p50, p99, max } = await openLoop(ask, { perSecond: 20, forMs: warmForMs });
  return { sysdigMs: slowMs, calls, failed, refreshes: fake.total - before, p50, p99, max, limitP99: 10 };
}

/** A question that nobody asked before: it fails once, in words, and the answer is there for a later poll. */
async function cold(client: KedaClient, { fake }: Sysdig) {
  fake.delayMs = verySlowMs;
  const ask = await asking(client, 'cold');
  const first = await ask().then(
    () => 'answered',
    (error: { details?: string }) => error.details ?? String(error),
  );
  await pause(verySlowMs);
  const later = await ask().then(
    () => 'answered',
    (error: { details?: string }) => error.details ?? String(error),
  );
  return { sysdigMs: verySlowMs, first, later };
}

async function asking(client: KedaClient, name: string): Promise<() => Promise<unknown>> {
  const ref = {
    namespace: 'shop',
    name,
    scalerMetadata: { source: 'sysdig', query: `sum(rate(${name}_total[1m]))`, threshold: '1' },
  };
  const metricName = (await client.getMetricSpec(ref)).metricSpecs[0]?.metricName ?? '';
  return () => client.getMetrics(ref, metricName);
}

async function until(ask: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    try {
      await ask();
      return;
    } catch {
      await pause(200);
    }
  }
}
