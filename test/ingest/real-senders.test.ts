import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { startAlertmanager, telling } from '#test/harness/alertmanager.ts';
import { Authority, type Pair } from '#test/harness/certificates.ts';
import { falcoAlert } from '#test/harness/falco-alert.ts';
import { KedaClient } from '#test/harness/keda-client.ts';
import { type ScalerProcess, startScaler } from '#test/harness/scaler-process.ts';

const metadata = { source: 'falco', metric: 'alerts', threshold: '1', window: '1h' };
const ref = { namespace: 'shop', name: 'checkout', scalerMetadata: metadata };

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'external-scaler-test-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function countedBy(keda: KedaClient): Promise<number> {
  const [spec] = (await keda.getMetricSpec(ref)).metricSpecs;
  const { metricValues } = await keda.getMetrics(ref, spec?.metricName ?? '');
  return metricValues[0]?.metricValueFloat ?? Number.NaN;
}

function clientOf(t: ExecutionContext, scaler: ScalerProcess): KedaClient {
  const keda = new KedaClient(scaler.grpc);
  t.teardown(async () => {
    keda.close();
    await scaler.stop();
  });
  return keda;
}

test("a real Alertmanager's alert pushes, counts once however often it is repeated", async (t) => {
  const tokenFile = join(folder(t), 'token');
  writeFileSync(tokenFile, 'am-token');
  const scaler = await startScaler({ INGEST_TOKEN_FILE: tokenFile });
  const keda = clientOf(t, scaler);
  const url = `${scaler.ingest}/ingest/alertmanager`;
  const alertmanager = await startAlertmanager(telling({ url, token: 'am-token' }));
  t.teardown(() => alertmanager.stop());
  const labels = {
    alertname: 'FalcoAlert',
    rule: 'Terminal shell in container',
    priority: 'Critical',
    k8s_ns_name: 'shop',
    k8s_pod_name: 'checkout-7d9f8b6c5d-x2x4z',
  };
  const stream = keda.streamIsActive(ref);
  const startsAt = new Date();
  await alertmanager.raise(labels, { startsAt });
  await stream.received(1);
  t.is(await countedBy(keda), 1);
  // Repeats come every second.
  const repeats = async () => {
    const text = await (await fetch(`${scaler.operations}/metrics`)).text();
    return Number(
      /ingest_alerts_total\{sender="alertmanager",outcome="repeated"\} (\d+)/.exec(text)?.[1] ?? 0,
    );
  };
  while ((await repeats()) < 2) await pause(100);
  t.is(await countedBy(keda), 1);
  stream.cancel();
});

test('a client certificate is a credential of the ingest, by its name', async (t) => {
  const path = folder(t);
  const authority = new Authority();
  t.teardown(() => authority.close());
  const { cert, key } = authority.server();
  for (const [name, content] of Object.entries({
    'ca.crt': authority.cert,
    'tls.crt': cert,
    'tls.key': key,
  })) {
    writeFileSync(join(path, name), content);
  }
  const scaler = await startScaler({
    INGEST_TLS_CERT_FILE: join(path, 'tls.crt'),
    INGEST_TLS_KEY_FILE: join(path, 'tls.key'),
    INGEST_TLS_CLIENT_CA_FILE: join(path, 'ca.crt'),
    INGEST_CLIENT_NAMES: 'falco',
  });
  const keda = clientOf(t, scaler);
  const post = (client: Partial<Pair>) =>
    new Promise<number | undefined>((resolve, reject) => {
      const { port } = new URL(scaler.ingest);
      const options = { port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert, ...client };
      const sent = request(
        { ...options, method: 'POST', path: '/ingest/falco', agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      sent.once('error', reject);
      sent.end(JSON.stringify(falcoAlert()));
    });
  t.is(await post(authority.issue({ commonName: 'falco' })), 204);
  t.is(await post(authority.issue({ commonName: 'somebody' })), 401);
  const another = new Authority('another');
  t.teardown(() => another.close());
  t.is(await post(another.issue({ commonName: 'falco' })), 401);
  t.is(await post({}), 401);
  t.is(await countedBy(keda), 1);
});
