import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { KedaClient } from '#test/harness/keda-client.ts';
import { type RecordedSeries, startPrometheus } from '#test/harness/prometheus.ts';
import { runToExit, type ScalerProcess, startScaler } from '#test/harness/scaler-process.ts';
import { startSysdigFake } from '#test/harness/sysdig-fake.ts';
import { replies } from '#test/harness/sysdig-replies.ts';

const asQuery = { source: 'sysdig', query: 'sum(load)', threshold: '10' };
/** Its range lies within `maxAge`, so nothing but the query itself is asked. */
const asRate = { ...asQuery, query: 'sum(rate(load[1m]))' };

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'external-scaler-test-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function tokenFile(t: ExecutionContext, token = 'monitor-token'): string {
  const path = join(folder(t), 'token');
  writeFileSync(path, `${token}\n`);
  return path;
}

async function scalerWith(
  t: ExecutionContext,
  settings: Record<string, string>,
): Promise<{ scaler: ScalerProcess; keda: KedaClient }> {
  const scaler = await startScaler(settings);
  const keda = new KedaClient(scaler.grpc);
  t.teardown(async () => {
    keda.close();
    await scaler.stop();
  });
  return { scaler, keda };
}

function ref(scalerMetadata: Record<string, string>, name = 'checkout') {
  return { namespace: 'shop', name, scalerMetadata };
}

interface Told {
  code: number;
  details: string;
}

/** What KEDA is told: the value, or the error's code and text. */
async function ask(keda: KedaClient, scalerMetadata: Record<string, string>): Promise<number | Told> {
  const [spec] = (await keda.getMetricSpec(ref(scalerMetadata))).metricSpecs;
  try {
    const { metricValues } = await keda.getMetrics(ref(scalerMetadata), spec?.metricName ?? '');
    return metricValues[0]?.metricValueFloat ?? Number.NaN;
  } catch (error) {
    const { code, details } = error as Told;
    return { code, details };
  }
}

/** Asks until the answer is as wanted: remembered failures and watched files take their few seconds. */
async function eventually(
  t: ExecutionContext,
  answer: () => Promise<unknown>,
  wanted: unknown,
): Promise<void> {
  let last: unknown;
  for (
    const until = Date.now() + 30_000;
    Date.now() < until;
    await new Promise((resolve) => setTimeout(resolve, 100))
  ) {
    last = await answer();
    if (last === wanted) break;
  }
  t.is(last, wanted);
}

test('KEDA gets true numbers out of a real PromQL engine', async (t) => {
  const now = Math.floor(Date.now() / 1000);
  const steady = (name: string, value: number, labels: Record<string, string> = {}): RecordedSeries => ({
    name,
    labels,
    points: Array.from({ length: 31 }, (_, index) => [now - 150 + index * 10, value]),
  });
  const cart = {
    kube_cluster_name: 'c1',
    kube_namespace_name: 'shop',
    kube_workload_name: 'cart',
    kube_workload_type: 'deployment',
  };
  const prometheus = await startPrometheus({
    series: [
      steady('load', 22.222, { pod: 'a' }),
      steady('load', 3.5, { pod: 'b' }),
      steady('jvm_heap_used', 100, { ...cart, kube_pod_name: 'cart-1' }),
      steady('jvm_heap_used', 50.5, { ...cart, kube_pod_name: 'cart-2' }),
      { name: 'dead', points: [[now - 240, 9]] },
    ],
  });
  t.teardown(() => prometheus.stop());
  const { scaler, keda } = await scalerWith(t, {
    SYSDIG_URL: prometheus.baseUrl,
    SYSDIG_TOKEN_FILE: tokenFile(t),
  });

  t.is(await ask(keda, asQuery), 25.722);
  t.true(await keda.isActive(ref(asQuery)));
  t.deepEqual(
    (await keda.getMetricSpec(ref(asQuery))).metricSpecs.map(({ targetSize, targetSizeFloat }) => [
      targetSize,
      targetSizeFloat,
    ]),
    [[10, 10]],
  );
  t.is(
    await ask(keda, {
      source: 'sysdig',
      metricName: 'jvm_heap_used',
      workload: 'deployment/cart',
      threshold: '10',
    }),
    150.5,
  );
  t.is(await ask(keda, { ...asQuery, query: 'load', queryAggregator: 'max' }), 22.222);
  t.false(await keda.isActive(ref({ ...asQuery, activationThreshold: '30' })));

  t.like(await ask(keda, { ...asQuery, query: 'load' }), {
    code: status.INVALID_ARGUMENT,
    details: 'expected one series, got 2; wrap the query in sum(…) or set queryAggregator',
  });
  t.like(await ask(keda, { ...asQuery, query: 'sum(nothing)' }), { code: status.NOT_FOUND });
  t.is(await ask(keda, { ...asQuery, query: 'sum(nothing)', metricUnavailableValue: '7' }), 7);
  const old = (await ask(keda, { ...asQuery, query: 'sum(dead)' })) as Told;
  t.is(old.code, status.NOT_FOUND);
  t.regex(old.details, /^the newest data is (2\d\ds|4m) old, expected at most 2m \(maxAge\)/);
  for (const query of ['sum(dead) # a note', 'scalar(sum(dead))', 'max(dead) > 1']) {
    t.is(((await ask(keda, { ...asQuery, query })) as Told).code, status.NOT_FOUND, query);
  }
  const wrong = (await ask(keda, { ...asQuery, query: 'sum(load' })) as Told;
  t.is(wrong.code, status.INVALID_ARGUMENT);
  t.regex(wrong.details, /parse error/);

  const { triggers } = (await (await fetch(`${scaler.operations}/status`)).json()) as {
    triggers: { value: number }[];
  };
  t.true(triggers.some(({ value }) => value === 150.5));
});

test('an opened stream tells of activity', async (t) => {
  const fake = await startSysdigFake();
  t.teardown(() => fake.stop());
  const { keda } = await scalerWith(t, { SYSDIG_URL: fake.baseUrl, SYSDIG_TOKEN_FILE: tokenFile(t) });
  const activity = keda.streamIsActive(ref(asRate));
  t.deepEqual(await activity.received(1), [{ result: true }]);
  const specs = keda.streamMetricSpec(ref(asRate));
  t.is((await specs.received(1))[0]?.metricSpecs[0]?.targetSizeFloat, 10);
});

test('SIGTERM ends streams with OK and the process with 0', async (t) => {
  const fake = await startSysdigFake();
  t.teardown(() => fake.stop());
  const scaler = await startScaler({ SYSDIG_URL: fake.baseUrl, SYSDIG_TOKEN_FILE: tokenFile(t) });
  const keda = new KedaClient(scaler.grpc);
  t.teardown(() => keda.close());
  const stream = keda.streamIsActive(ref(asRate));
  await stream.received(1);
  const ended = scaler.stop();
  t.like(await stream.ended, { code: status.OK });
  t.is(await ended, 0);
});

test('a token file may come late, turn wrong and turn right again', async (t) => {
  const fake = await startSysdigFake();
  t.teardown(() => fake.stop());
  const path = join(folder(t), 'token');
  const { scaler, keda } = await scalerWith(t, { SYSDIG_URL: fake.baseUrl, SYSDIG_TOKEN_FILE: path });
  const missing = (await ask(keda, asRate)) as Told;
  t.is(missing.code, status.UNAUTHENTICATED);
  t.true(missing.details.startsWith(`${path}: expected the Sysdig API token, got`), missing.details);

  const value = () => ask(keda, asRate);
  writeFileSync(path, 'monitor-token');
  await eventually(t, value, 1);
  writeFileSync(path, 'wrong-token');
  await eventually(t, async () => ((await value()) as Told).code, status.UNAUTHENTICATED);
  writeFileSync(path, 'monitor-token');
  await eventually(t, value, 1);
  t.false(scaler.lines.some((line) => /wrong-token|monitor-token/.test(line)));
});

test('a Sysdig that is down at the start is found when it comes up', async (t) => {
  const fake = await startSysdigFake();
  const url = fake.baseUrl;
  fake.answer(replies.html(502, 'Bad Gateway'));
  t.teardown(() => fake.stop());
  const { keda } = await scalerWith(t, { SYSDIG_URL: url, SYSDIG_TOKEN_FILE: tokenFile(t) });
  const down = (await ask(keda, asRate)) as Told;
  t.is(down.code, status.UNAVAILABLE);
  t.regex(down.details, /Bad Gateway/);
  fake.answer(() => undefined);
  await eventually(t, () => ask(keda, asRate), 1);
});

test('nobody listening is said as such', async (t) => {
  const { keda } = await scalerWith(t, { SYSDIG_URL: 'http://127.0.0.1:9', SYSDIG_TOKEN_FILE: tokenFile(t) });
  const down = (await ask(keda, asRate)) as Told;
  t.is(down.code, status.UNAVAILABLE);
  t.regex(down.details, /127\.0\.0\.1:9/);
});

test('a slow Sysdig costs the first caller its time, and a later one is answered', async (t) => {
  const fake = await startSysdigFake({ delayMs: 1_000 });
  t.teardown(() => fake.stop());
  const { keda } = await scalerWith(t, {
    SYSDIG_URL: fake.baseUrl,
    SYSDIG_TOKEN_FILE: tokenFile(t),
    GRPC_ANSWER_TIMEOUT: '200ms',
  });
  const first = (await ask(keda, asRate)) as Told;
  t.is(first.code, status.DEADLINE_EXCEEDED);
  t.regex(first.details, /^no answer within 0\.2 s: waiting for Sysdig's answer to the query/);
  await eventually(t, () => ask(keda, asRate), 1);
  t.is(fake.total, 1);
});

test('429 freezes the account and says until when', async (t) => {
  const fake = await startSysdigFake();
  t.teardown(() => fake.stop());
  fake.answer(replies.rateLimited('120'));
  const { scaler, keda } = await scalerWith(t, { SYSDIG_URL: fake.baseUrl, SYSDIG_TOKEN_FILE: tokenFile(t) });
  const limited = (await ask(keda, asRate)) as Told;
  t.is(limited.code, status.RESOURCE_EXHAUSTED);
  t.regex(limited.details, /; account default is asked again at \d{4}-/);
  t.is(
    ((await ask(keda, { ...asRate, query: 'sum(rate(other[1m]))' })) as Told).code,
    status.RESOURCE_EXHAUSTED,
  );
  t.is(fake.total, 1);
  const metrics = await (await fetch(`${scaler.operations}/metrics`)).text();
  t.regex(metrics, /external_scaler_sysdig_freezes_total\{account="default"\} 1/);
  t.regex(metrics, /external_scaler_sysdig_frozen_seconds\{account="default"\} 1[12]\d/);
});

test('onError: lastValue bridges an outage, and says so', async (t) => {
  const fake = await startSysdigFake();
  t.teardown(() => fake.stop());
  const { scaler, keda } = await scalerWith(t, { SYSDIG_URL: fake.baseUrl, SYSDIG_TOKEN_FILE: tokenFile(t) });
  const bridging = { ...asRate, onError: 'lastValue', cacheTTL: '1s' };
  const failing = { ...asRate, query: 'sum(rate(other[1m]))', cacheTTL: '1s' };
  t.is(await ask(keda, bridging), 1);
  t.is(await ask(keda, failing), 1);
  fake.answer(replies.prometheusError(500, 'down'));
  await eventually(t, async () => ((await ask(keda, failing)) as Told).code, status.UNAVAILABLE);
  t.is(await ask(keda, bridging), 1);
  t.true(await keda.isActive(ref(bridging)));
  t.regex(
    await (await fetch(`${scaler.operations}/metrics`)).text(),
    /external_scaler_triggers_on_last_value 1/,
  );
  t.true(scaler.lines.some((line) => line.includes('answers its last value')));
});

test('without an account the scaler serves, and says what is missing', async (t) => {
  const { keda, scaler } = await scalerWith(t, {});
  t.like(await ask(keda, asRate), { code: status.UNAUTHENTICATED });
  t.is((await fetch(`${scaler.operations}/readyz`)).status, 200);
});

test('a port that is taken is one clear line and exit code 1', async (t) => {
  const other = createServer();
  const port = await new Promise<number>((resolve) => {
    other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
  });
  t.teardown(() => other.close());
  const { code, output } = await runToExit({ GRPC_ADDRESS: `127.0.0.1:${port}`, LOG_LEVEL: 'error' });
  t.is(code, 1);
  t.is(output.split('\n').length, 1);
  t.regex(output, new RegExp(`127\\.0\\.0\\.1:${port}: the port is already taken`));
});

test('a file with mistakes is told whole, in order, and exit code 1', async (t) => {
  const path = join(folder(t), 'scaler.yaml');
  writeFileSync(
    path,
    'grpc:\n  adress: x\nupstreamTimeout: 5\nsysdig: { region: mars1 , tokenFile: /t }\nlogLevel: loud\n',
  );
  const { code, output } = await runToExit({ CONFIG_FILE: path });
  t.is(code, 1);
  const told = output.split('\n').map((line) => (JSON.parse(line) as { msg: string }).msg);
  t.deepEqual(told.slice(0, 3), [
    'grpc.adress: unknown setting; did you mean grpc.address?',
    'upstreamTimeout (UPSTREAM_TIMEOUT): expected 1s to 2m, got "5"',
    'logLevel (LOG_LEVEL): expected debug, info, warn or error, got "loud"',
  ]);
  t.regex(told[3] ?? '', /^sysdig\.region: expected one of us1, .*, got "mars1"/);
  t.is(told.length, 4);
});

test('an unknown region and a secret in the environment stop the start', async (t) => {
  const region = await runToExit({ SYSDIG_REGION: 'mars1', SYSDIG_TOKEN_FILE: '/t' });
  t.is(region.code, 1);
  t.regex(region.output, /sysdig\.region: .*mars1/);
  const secret = await runToExit({ SYSDIG_TOKEN: 'very-secret' });
  t.is(secret.code, 1);
  t.regex(secret.output, /SYSDIG_TOKEN: a secret in the environment is refused/);
  t.notRegex(secret.output, /very-secret/);
});

test('a kubeconfig that cannot be read stops the start, and nothing of it is shown', async (t) => {
  const path = join(folder(t), 'kubeconfig');
  writeFileSync(path, 'users:\n- user: {token: very-secret\n  rubbish: [');
  const { code, output } = await runToExit({ KUBECONFIG: path });
  t.is(code, 1);
  t.regex(
    output,
    /expected a kubeconfig file, got .*; name another, or leave it out to run without a cluster/,
  );
  t.notRegex(output, /very-secret/);
  t.regex((await runToExit({ KUBECONFIG: `${path}-missing` })).output, /ENOENT/);
});

test('SIGTERM before it is ready ends it too, with 0', async (t) => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.teardown(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const path = join(folder(t), 'kubeconfig');
  const named = (kind: string, value: object) => [{ name: 'silent', [kind]: value }];
  const kubeconfig = {
    clusters: named('cluster', { server: `https://127.0.0.1:${port}` }),
    users: named('user', { token: 'token' }),
    contexts: named('context', { cluster: 'silent', user: 'silent' }),
    'current-context': 'silent',
  };
  writeFileSync(path, JSON.stringify(kubeconfig));
  const { code, output } = await runToExit({ KUBECONFIG: path }, 'no Sysdig account is configured');
  t.is(code, 0, output);
  t.regex(output, /stopped before it was ready/);
});
