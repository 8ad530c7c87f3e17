import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { falcoAlert, podName } from '#test/harness/falco-alert.ts';
import { KedaClient } from '#test/harness/keda-client.ts';
import { type ScalerProcess, startScaler } from '#test/harness/scaler-process.ts';

const kills = 12;
const perRequest = 5;

/** What became of a request: when it was sent and answered (undefined: never), and the numbers of its alerts. */
interface Sent {
  readonly numbers: readonly number[];
  readonly answeredAt: number | undefined;
}

/** Posts numbered alerts, each about a pod of its own, to whichever process is alive, until it is stopped. */
class NumberedSender {
  readonly sent: Sent[] = [];
  readonly #path: string;
  #next = 0;
  #stopped = false;

  constructor(path: string) {
    this.#path = path;
  }

  async run(alive: () => ScalerProcess | undefined, count: number): Promise<void> {
    while (!this.#stopped) {
      const scaler = alive();
      if (scaler === undefined) await pause(5);
      else await this.#post(scaler, count);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #post(scaler: ScalerProcess, count: number): Promise<void> {
    const numbers = Array.from({ length: count }, () => this.#next++);
    const alerts = numbers.map((number) => falcoAlert({ pod: podName('checkout', number) }));
    let answeredAt: number | undefined;
    try {
      const body = JSON.stringify(count === 1 ? alerts[0] : alerts);
      const response = await fetch(`${scaler.ingest}${this.#path}`, { method: 'POST', body });
      await response.arrayBuffer();
      if (response.ok) answeredAt = performance.now();
    } catch {
      // Killed in between: never to be known whether it was taken.
    }
    this.sent.push({ numbers, answeredAt });
  }
}

/** Kills the process at random moments while the sender goes on; the last one is left running. */
async function underFire(
  settings: Record<string, string>,
  sender: NumberedSender,
  count: number,
): Promise<{ scaler: ScalerProcess; killedAt: number[] }> {
  let alive: ScalerProcess | undefined = await startScaler(settings);
  const sending = sender.run(() => alive, count);
  const killedAt: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    await pause(200 + Math.random() * 1_000);
    const victim = alive as ScalerProcess;
    killedAt.push(performance.now());
    await victim.kill();
    alive = undefined;
    alive = await startScaler(settings);
  }
  await pause(300);
  sender.stop();
  await sending;
  return { scaler: alive as ScalerProcess, killedAt };
}

async function counted(scaler: ScalerProcess, metric: string): Promise<number> {
  const keda = new KedaClient(scaler.grpc);
  const scalerMetadata = { source: 'falco', metric, threshold: '1', window: '1h' };
  const ref = { namespace: 'shop', name: 'checkout', scalerMetadata };
  const [spec] = (await keda.getMetricSpec(ref)).metricSpecs;
  const { metricValues } = await keda.getMetrics(ref, spec?.metricName ?? '');
  keda.close();
  return metricValues[0]?.metricValueFloat ?? Number.NaN;
}

function journalIn(folder: string): Record<string, string> {
  return { JOURNAL: `sqlite:${join(folder, 'journal.db')}` };
}

test('what was acknowledged on a durable path survives a dozen kill -9, and nothing is counted twice', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'external-scaler-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const sender = new NumberedSender('/ingest/fluentbit');
  const { scaler } = await underFire(journalIn(folder), sender, perRequest);
  t.teardown(() => scaler.stop());

  const attempted = sender.sent.length * perRequest;
  const acknowledged = sender.sent.filter(({ answeredAt }) => answeredAt !== undefined).length * perRequest;
  const [alerts, infections] = [await counted(scaler, 'alerts'), await counted(scaler, 'infections')];
  t.log(`${kills} kills: acknowledged ${acknowledged} <= counted ${alerts} <= attempted ${attempted}`);
  t.true(acknowledged > 500);
  t.true(acknowledged <= alerts && alerts <= attempted);
  t.is(alerts, infections, 'every alert named a pod of its own');
});

test('what was answered from memory is lost from the last group commit on, and nothing before it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'external-scaler-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const sender = new NumberedSender('/ingest/falco');
  const { scaler, killedAt } = await underFire(journalIn(folder), sender, 1);
  t.teardown(() => scaler.stop());

  const acknowledged = sender.sent.filter(({ answeredAt }) => answeredAt !== undefined);
  const attempted = sender.sent.length;
  const alerts = await counted(scaler, 'alerts');
  const lost = acknowledged.length - alerts;
  // Posted one after the other: were each kill to take all that was acknowledged in a span before it, how long is it?
  const ages = killedAt
    .flatMap((at) =>
      acknowledged.map(({ answeredAt = 0 }) => at - answeredAt).filter((age) => age >= 0 && age < 1_000),
    )
    .sort((a, b) => a - b);
  t.log(
    `${kills} kills: acknowledged ${acknowledged.length}, counted ${alerts} of ${attempted} attempted; lost ${Math.max(0, lost)}, the span of ${(ages[Math.max(0, lost - 1)] ?? 0).toFixed(1)} ms before each kill`,
  );
  t.true(acknowledged.length > 500);
  t.true(alerts <= attempted);
  t.true(lost <= acknowledged.length / 10, 'kills took only the last moments');
});
