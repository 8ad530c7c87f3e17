// The whole road on one machine: a real Prometheus with sample series in Sysdig's place, the scaler, and KEDA's part
// played for every ScaledObject in examples/, live until Ctrl-C; one of them is attacked again and again.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { KedaClient } from '#test/harness/keda-client.ts';
import { startPrometheus } from '#test/harness/prometheus.ts';
import { startScaler } from '#test/harness/scaler-process.ts';
import { attackAgainAndAgain } from './attack.ts';
import { chooseReplicas } from './hpa.ts';
import { Poller } from './keda.ts';
import { sampleSeries } from './sample-series.ts';
import { readScaledObjects, type ScaledObject } from './scaled-objects.ts';

const everyMs = 5_000;
const hours = 6;
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
// Whoever read along has gone: `make demo | head`.
process.stdout.on('error', () => stopping.abort());

console.log('Starting a Prometheus with sample series, and the scaler …');
const folder = mkdtempSync(join(tmpdir(), 'external-scaler-demo-'));
const tokenFile = join(folder, 'token');
writeFileSync(tokenFile, 'a-local-prometheus-asks-for-none');
const prometheus = await startPrometheus({ series: sampleSeries(Date.now() / 1000, hours) });
try {
  const scaler = await startScaler({
    SYSDIG_URL: prometheus.baseUrl,
    SYSDIG_TOKEN_FILE: tokenFile,
  });
  const client = new KedaClient(scaler.grpc);
  console.log(`Prometheus  ${prometheus.baseUrl}/prometheus
Scaler      gRPC ${scaler.grpc}   ${scaler.operations}/status   ${scaler.operations}/metrics
Alerts      ${scaler.ingest}/ingest/falco
Asking every ${everyMs / 1000} s as KEDA would, for examples/*/scaledobject.yaml. Ctrl-C ends all of it.
`);
  const objects = readScaledObjects('examples/*/scaledobject.yaml').filter(worksWithoutCluster);
  const target = objects.find(({ name }) => name === 'payments');
  if (target === undefined) throw new Error('expected an example for shop/payments, got none');
  const say = (line: string) => console.log(`${now()}  >>> ${line}`);
  const attack = attackAgainAndAgain({ client, target, ingest: scaler.ingest, say }, stopping.signal);
  await Promise.all([play(client, objects), attack]);
  client.close();
  await scaler.stop();
} finally {
  await prometheus.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log('\nEverything that was started has ended.');

async function play(client: KedaClient, objects: readonly ScaledObject[]): Promise<void> {
  const replicas = new Map(objects.map((object) => [object, object.minReplicas]));
  const row = (cells: readonly string[]) =>
    cells.map((cell, index) => cell.padEnd([10, 15, 56, 13, 13, 8][index] ?? 0)).join('');
  console.log(row(['time', 'ScaledObject', 'metric', 'value', 'target', 'active', 'replicas']));
  while (!stopping.signal.aborted) {
    for (const object of objects) {
      const cells = await step(client, object, replicas);
      console.log(row([now(), `${object.namespace}/${object.name}`, ...cells]));
    }
    await pause(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
  }
}

/** One poll of the ScaledObject; its replicas move to the largest that one of its triggers asks for. */
async function step(
  client: KedaClient,
  object: ScaledObject,
  replicas: Map<ScaledObject, number>,
): Promise<string[]> {
  const before = replicas.get(object) ?? 0;
  try {
    const polls = await Promise.all(
      object.triggers.map(async (trigger) => {
        const poller = new Poller(client, object, trigger);
        const spec = await poller.spec();
        return { ...spec, ...(await poller.measure(spec)), metricType: trigger.metricType };
      }),
    );
    const bounds = { min: object.minReplicas, max: object.maxReplicas };
    const active = polls.some((one) => one.active);
    const after =
      active || bounds.min > 0 ? Math.max(...polls.map((one) => chooseReplicas(one, before, bounds))) : 0;
    replicas.set(object, after);
    return [
      polls.map(({ metricName }) => (polls.length > 1 ? metricName.slice(0, 26) : metricName)).join(', '),
      polls.map(({ value }) => short(value)).join(', '),
      polls.map(({ target }) => short(target)).join(', '),
      active ? 'yes' : 'no',
      before === after ? `${after}` : `${before} → ${after}`,
    ];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error), '', '', '', `${before} (kept)`];
  }
}

/** `requiredReplicas` counts pods that run, which only a cluster knows. */
function worksWithoutCluster({ triggers }: ScaledObject): boolean {
  return triggers.every(({ metadata }) => metadata['metric'] !== 'requiredReplicas');
}

function now(): string {
  return new Date().toISOString().slice(11, 19);
}

function short(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)}G`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`;
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
