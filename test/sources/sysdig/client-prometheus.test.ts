import anyTest, { type TestFn } from 'ava';
import { systemClock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import { SysdigClient } from '#src/sources/sysdig/client.ts';
import { HttpPool } from '#src/sources/sysdig/http-pool.ts';
import { type Prometheus, startPrometheus } from '#test/harness/prometheus.ts';
import { sysdigAccount } from '#test/harness/sysdig-account.ts';

interface Context {
  prometheus: Prometheus;
  client: SysdigClient;
  ask(expression: string): ReturnType<SysdigClient['query']>;
}
const test = anyTest as TestFn<Context>;
const now = Math.floor(Date.now() / 1000);

test.before(async (t) => {
  const points = [0, 15, 30, 45, 60].map((ago) => [now - ago, 100 - ago] as const);
  const prometheus = await startPrometheus({
    series: [
      { name: 'sysdig_container_cpu_used_percent', labels: { kube_workload_name: 'checkout' }, points },
      {
        name: 'sysdig_container_cpu_used_percent',
        labels: { kube_workload_name: 'cart' },
        points: [[now, 7]],
      },
    ],
  });
  const observer = { request() {}, rateLimit() {} };
  const client = new SysdigClient({ pool: new HttpPool(), observer, clock: systemClock });
  const account = sysdigAccount(prometheus.baseUrl);
  t.context = {
    prometheus,
    client,
    ask: (expression) => client.query(account, expression, new AbortController().signal),
  };
});

test.after.always(async (t) => {
  await t.context.client?.close();
  await t.context.prometheus?.stop();
});

test('reads a vector, series by series', async (t) => {
  const { series, warnings } = await t.context.ask(
    'sort(sum by (kube_workload_name) (sysdig_container_cpu_used_percent))',
  );
  t.deepEqual(
    series.map(({ labels, value }) => [labels['kube_workload_name'], value]),
    [
      ['cart', 7],
      ['checkout', 100],
    ],
  );
  t.deepEqual(warnings, []);
  for (const { at } of series) t.true(Math.abs(at - Date.now()) < 60_000);
});

test('reads a scalar as one series without labels', async (t) => {
  const { series } = await t.context.ask('2 * 21');
  t.like(series, [{ labels: {}, value: 42 }]);
});

test('reads no data as no series', async (t) => {
  t.deepEqual((await t.context.ask('sysdig_container_of_nobody')).series, []);
});

test('reads numbers that are none', async (t) => {
  const { series } = await t.context.ask('vector(1) / 0 or label_replace(vector(0) / 0, "a", "b", "", "")');
  t.deepEqual(
    series.map(({ value }) => value),
    [Number.POSITIVE_INFINITY, Number.NaN],
  );
});

const refused: [expression: string, message: RegExp][] = [
  ['sum(', /^Sysdig refuses the query \(400\): .*parse error: unclosed left parenthesis/],
  [
    'sysdig_container_cpu_used_percent * on() group_left sysdig_container_cpu_used_percent',
    /^Sysdig refuses the query \(422\): .*duplicate series/,
  ],
  ['sysdig_container_cpu_used_percent[1m]', /expected a vector or a scalar, got a matrix; .*avg_over_time/],
  ['"text"', /expected a vector or a scalar, got a string; ask for a number/],
];
for (const [expression, message] of refused) {
  test(`refuses ${expression}`, async (t) => {
    const failure = await t.throwsAsync(t.context.ask(expression), { instanceOf: Failure, message });
    t.is(failure?.code, 'invalid');
  });
}
