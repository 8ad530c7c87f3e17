import test, { type ExecutionContext } from 'ava';
import { systemClock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import { SysdigClient } from '#src/sources/sysdig/client.ts';
import { HttpPool } from '#src/sources/sysdig/http-pool.ts';
import { MetricCatalog } from '#src/sources/sysdig/metric-catalog.ts';
import { startPrometheus } from '#test/harness/prometheus.ts';
import { sysdigAccount } from '#test/harness/sysdig-account.ts';
import { startSysdigFake } from '#test/harness/sysdig-fake.ts';
import { replies } from '#test/harness/sysdig-replies.ts';

const never = new AbortController().signal;

test('lists both notations, page by page', async (t) => {
  const { catalog, account, fake } = await setUp(t);
  fake.metrics = Array.from({ length: 1_200 }, (_, index) => `shop.metric.${index}`);
  const { promqlNames, descriptors } = await catalog.refresh(account, '', never);
  t.is(promqlNames?.items.length, 1_200);
  t.deepEqual(
    descriptors?.items.map(({ id }) => id),
    [...fake.metrics],
  );
  t.false(descriptors?.isTruncated);
  t.deepEqual(descriptors?.items[0], {
    id: 'shop.metric.0',
    metricType: 'gauge',
    timeAggregations: ['avg', 'sum'],
    groupAggregations: ['avg', 'sum'],
  });
  const pages = fake.requests.filter(({ path }) => path === '/api/v2/metrics/descriptors');
  t.deepEqual(
    pages.map(({ query }) => query['offset']),
    ['0', '500', '1000'],
  );
});

test('asks for the descriptors that a filter names', async (t) => {
  const { catalog, account } = await setUp(t);
  const { descriptors } = await catalog.refresh(account, 'cpu', never);
  t.deepEqual(
    descriptors?.items.map(({ id }) => id),
    ['cpu.used.percent'],
  );
});

test('a listing that fails leaves what was known, and keeps what succeeded', async (t) => {
  const { catalog, account, fake } = await setUp(t);
  await catalog.refresh(account, '', never);
  fake.metrics = ['fs.used.percent'];
  fake.answer(({ path }) => (path.startsWith('/api/v2') ? replies.prometheusError(500, 'boom') : undefined));
  const failure = await t.throwsAsync(catalog.refresh(account, '', never), { instanceOf: Failure });
  t.is(failure.code, 'unavailable');
  const { promqlNames, descriptors } = catalog.known(account);
  t.deepEqual(promqlNames?.items, ['fs_used_percent']);
  t.deepEqual(
    descriptors?.items.map(({ id }) => id),
    ['net.bytes.in', 'cpu.used.percent'],
  );
});

test('a page that fails in the middle replaces nothing', async (t) => {
  const { catalog, account, fake } = await setUp(t);
  await catalog.refresh(account, '', never);
  fake.metrics = Array.from({ length: 600 }, (_, index) => `m.${index}`);
  fake.answer(({ query }) => (query['offset'] === '500' ? replies.rateLimited() : undefined));
  t.is(
    (await t.throwsAsync(catalog.refresh(account, '', never), { instanceOf: Failure })).code,
    'rate-limited',
  );
  t.is(catalog.known(account).descriptors?.items.length, 2);
});

test('ends where a server promises more than it has, and stops at what we keep', async (t) => {
  const { catalog, account, fake } = await setUp(t);
  const page = (length: number) => ({
    body: { total: 1e9, metricDescriptors: Array(length).fill({ id: 'm' }) },
  });
  fake.answer(({ path, query }) =>
    path.startsWith('/api/v2') ? page(query['offset'] === '0' ? 3 : 0) : undefined,
  );
  const short = await catalog.refresh(account, '', never);
  t.is(short.descriptors?.items.length, 3);
  t.true(short.descriptors?.isTruncated);
  fake.answer(({ path }) => (path.startsWith('/api/v2') ? page(30_000) : undefined));
  t.is((await catalog.refresh(account, '', never)).descriptors?.items.length, 50_000);
});

test('what is no listing is a failure', async (t) => {
  const { catalog, account, fake } = await setUp(t);
  for (const body of ['null', {}, { data: {}, total: 1, metricDescriptors: [{}] }]) {
    fake.answer({ body });
    const failure = await t.throwsAsync(catalog.refresh(account, '', never), { instanceOf: Failure });
    t.is(failure.code, 'unavailable');
  }
  t.deepEqual(catalog.known(account), { promqlNames: undefined, descriptors: undefined });
});

test('reads the names of a real Prometheus, which has no descriptors', async (t) => {
  const now = Math.floor(Date.now() / 1000);
  const prometheus = await startPrometheus({ series: [{ name: 'sysdig_container_up', points: [[now, 1]] }] });
  t.teardown(() => prometheus.stop());
  const { catalog } = await setUp(t);
  const account = sysdigAccount(prometheus.baseUrl);
  const failure = await t.throwsAsync(catalog.refresh(account, '', never), { instanceOf: Failure });
  t.is(failure.httpStatus, 404);
  t.deepEqual(catalog.known(account).promqlNames?.items, ['sysdig_container_up']);
});

async function setUp(t: ExecutionContext) {
  const fake = await startSysdigFake();
  const observer = { request() {}, rateLimit() {} };
  const client = new SysdigClient({ pool: new HttpPool(), observer, clock: systemClock });
  t.teardown(async () => {
    await client.close();
    await fake.stop();
  });
  return { fake, catalog: new MetricCatalog(client), account: sysdigAccount(fake.baseUrl) };
}
