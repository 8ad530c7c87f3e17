import test from 'ava';
import { Failure } from '#src/failure.ts';
import { dataRequestBody, dataRequestOf, readDataAnswer } from '#src/sources/sysdig/data-api.ts';

const now = 1_760_000_005_000;
const context = { upstream: 'Sysdig', now, secrets: [] };
const end = 1_760_000_000;

test('asks for one aggregate of one metric over whole steps of 10 s', (t) => {
  const request = dataRequestOf({
    kind: 'metric',
    metric: 'sysdig_container_net_in_bytes',
    workload: 'checkout',
    follows: undefined,
    workloadType: undefined,
    service: undefined,
    namespace: 'shop',
    cluster: undefined,
    filter: [],
    timeAggregation: 'rateOfChange',
    groupAggregation: 'sum',
    windowMs: 65_000,
  });
  t.deepEqual(dataRequestBody(request), {
    last: 70,
    metrics: [{ id: 'net.bytes.in', aggregations: { time: 'rateOfChange', group: 'sum' } }],
    filter: "kubernetes.namespace.name = 'shop' and kubernetes.workload.name = 'checkout'",
    dataSourceType: 'container',
    paging: { from: 0, to: 99 },
  });
});

test('asks hosts for the metrics of hosts', (t) => {
  const request = {
    metric: 'host.error.count',
    timeAggregation: 'avg',
    groupAggregation: 'avg',
    windowMs: 1,
    filter: undefined,
  } as const;
  const body = dataRequestBody(request) as Record<string, unknown>;
  t.is(body['dataSourceType'], 'host');
  t.is(body['last'], 10);
  t.false('filter' in body);
});

test('reads a flat row, stamped with the end of its bucket', (t) => {
  t.deepEqual(read([{ t: end, d: [6.481] }]), [[6.481, end * 1000]]);
});

test('reads nested rows', (t) => {
  t.deepEqual(
    read([
      {
        t: end,
        d: [
          ['a', 1],
          ['b', 2],
        ],
      },
    ]),
    [
      [1, end * 1000],
      [2, end * 1000],
    ],
  );
});

test('leaves null values out, so that no data is no series', (t) => {
  t.deepEqual(read([{ t: end, d: [null] }]), []);
  t.deepEqual(read([]), []);
  t.deepEqual(read([{ t: end, d: [] }]), []);
});

test('takes the newest whole bucket that holds a value', (t) => {
  const buckets = [
    { t: end - 20, d: [1] },
    { t: end - 10, d: [2] },
    { t: end, d: [null] },
    { t: end + 10, d: [3] },
  ];
  t.deepEqual(read(buckets), [[2, (end - 10) * 1000]]);
});

test('a bucket that ends in the future is taken only when it is the only one', (t) => {
  t.deepEqual(read([{ t: end + 60, d: [7] }]), [[7, (end + 60) * 1000]]);
  t.deepEqual(
    read([
      { t: end + 60, d: [7] },
      { t: end + 70, d: [8] },
    ]),
    [],
  );
});

for (const body of [
  null,
  [],
  {},
  { data: {} },
  { data: [1] },
  { data: [{ t: 'x', d: [] }] },
  { data: [{ t: 1, d: ['x'] }] },
]) {
  test(`is no answer: ${JSON.stringify(body)}`, (t) => {
    const failure = t.throws(() => readDataAnswer(body, context), { instanceOf: Failure });
    t.is(failure.code, 'unavailable');
  });
}

function read(data: object[]): [number, number][] {
  return readDataAnswer({ data, start: end - 60, end }, context).series.map(({ value, at }) => [value, at]);
}
