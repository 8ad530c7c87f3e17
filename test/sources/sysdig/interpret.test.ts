import test from 'ava';
import { interpret, requireYoung } from '#src/sources/sysdig/interpret.ts';
import type { Series } from '#src/sources/sysdig/upstream.ts';
import { refusal } from '#test/harness/refusal.ts';
import { sysdigTrigger } from '#test/harness/sysdig-trigger.ts';

const askedAt = 1_760_000_000_000;
const query = { query: 'up' };
const metric = { metricName: 'net.http.request.count' };

function series(...values: (number | [Record<string, string>, number])[]): Series[] {
  return values.map((one) => {
    const [labels, value] = typeof one === 'number' ? [{}, one] : one;
    return { labels, value, at: askedAt };
  });
}

function read(metadata: Record<string, string>, answered: Series[]) {
  return interpret(sysdigTrigger(metadata), { series: answered, askedAt, dataAt: askedAt });
}

test('one series is its value', (t) => {
  t.deepEqual(read(query, series(12.5)), { value: 12.5, at: askedAt });
});

test('no series is no data, not 0', (t) => {
  t.is(read(query, []), undefined);
});

test('an aggregator makes one number of several series', (t) => {
  const results = ['sum', 'avg', 'min', 'max', 'count'].map(
    (queryAggregator) => read({ ...query, queryAggregator }, series(1, 2, 6))?.value,
  );
  t.deepEqual(results, [9, 3, 1, 6, 3]);
  t.is(read({ ...query, queryAggregator: 'count' }, series(7))?.value, 1);
});

const inA = { kube_cluster_name: 'a' };
const inB = { kube_cluster_name: 'b' };

const refused: [string, () => unknown, string][] = [
  [
    'several series without an aggregator',
    () => read(query, series(1, 2)),
    'invalid: expected one series, got 2; wrap the query in sum(…) or set queryAggregator',
  ],
  [
    'more clusters than a message should name',
    () => {
      const names = Array.from({ length: 40 }, (_, index) => `c${index + 10}`);
      return read(
        query,
        series(...names.map((name): [Record<string, string>, number] => [{ kube_cluster_name: name }, 1])),
      );
    },
    'invalid: the answer spans the clusters c10, c11, c12, c13, c14, c15, c16, c17, c18, c19 and 30 more; name one: with kube_cluster_name="…" in the query',
  ],
  [
    'NaN',
    () => read(query, series(Number.NaN)),
    'not-found: expected a number, got NaN; does the query divide by 0?',
  ],
  [
    '+Inf',
    () => read(query, series(Number.POSITIVE_INFINITY)),
    'not-found: expected a number, got Infinity; does the query divide by 0?',
  ],
  [
    'one NaN among several',
    () => read({ ...query, queryAggregator: 'max' }, series(1, Number.NaN)),
    'not-found: expected a number, got NaN; does the query divide by 0?',
  ],
  [
    'several clusters in a query',
    () => read({ ...query, queryAggregator: 'sum' }, series([inA, 1], [inB, 2])),
    'invalid: the answer spans the clusters a, b; name one: with kube_cluster_name="…" in the query',
  ],
  [
    'several clusters of a metric',
    () => read(metric, series([inA, 1], [inB, 2])),
    'invalid: the answer spans the clusters a, b; name one: with the key cluster, or CLUSTER_NAME where the scaler runs',
  ],
  [
    'two kinds of workload of one name',
    () =>
      read(
        metric,
        series([{ kube_workload_type: 'deployment' }, 1], [{ kube_workload_type: 'statefulset' }, 2]),
      ),
    'invalid: several workloads are named checkout: deployment, statefulset; name one with workloadType',
  ],
  [
    'data older than maxAge',
    () => requireYoung(askedAt - 125_000, askedAt, 120_000),
    'not-found: the newest data is 125s old, expected at most 2m (maxAge); is its sender still running?',
  ],
];

for (const [title, run, message] of refused) {
  test(`refuses ${title}`, (t) => t.is(refusal(run), message));
}
