import test from 'ava';
import { dealRows, groupedQuery } from '#src/sources/sysdig/broker/grouped.ts';
import type { MetricOfWorkload } from '#src/triggers/trigger.ts';
import { metric, row } from '#test/sources/sysdig/broker/upstreams.ts';

const by = 'by (kube_cluster_name, kube_namespace_name, kube_workload_name, kube_workload_type)';
const web = 'm{kube_namespace_name="shop",kube_workload_name="web"}';
const render = (changes: Partial<MetricOfWorkload>, aged = false) =>
  groupedQuery([metric({ metric: 'm', ...changes })], { aged });

const aggregations: [Partial<MetricOfWorkload>, string][] = [
  [{ timeAggregation: 'avg', groupAggregation: 'max' }, `max ${by} (avg_over_time(${web}[60s]))`],
  [{ timeAggregation: 'timeAvg' }, `sum ${by} ((sum_over_time(${web}[60s])) / 60)`],
  [{ timeAggregation: 'sum', groupAggregation: 'min' }, `min ${by} (sum_over_time(${web}[60s]))`],
  [{ timeAggregation: 'min' }, `sum ${by} (min_over_time(${web}[60s]))`],
  [{ timeAggregation: 'max', windowMs: 1_500 }, `sum ${by} (max_over_time(${web}[1500ms]))`],
  [{ timeAggregation: 'rateOfChange', groupAggregation: 'avg' }, `avg ${by} ((delta(${web}[60s])) / 60)`],
];

for (const [changes, expected] of aggregations) {
  test(`${changes.timeAggregation} becomes ${expected}`, (t) => {
    t.is(render(changes).value, expected);
  });
}

test('asks for services by their own label', (t) => {
  t.is(
    render({ workload: undefined, service: 'api', timeAggregation: 'max' }).value,
    'sum by (kube_cluster_name, kube_namespace_name, kube_service_name) (max_over_time(m{kube_namespace_name="shop",kube_service_name="api"}[60s]))',
  );
});

test('narrows by cluster and filter, in one order', (t) => {
  const filter = [
    { label: 'b', operator: '!=', value: '"' },
    { label: 'a', operator: '=~', value: '5..' },
  ] as const;
  t.regex(
    render({ cluster: 'eu', filter }).value,
    /kube_workload_name="web",kube_cluster_name="eu",a=~"5\.\.",b!="\\""\}/,
  );
});

test('writes labels of the other notation in its own, and holds their values', (t) => {
  const filter = [
    { label: 'host.name', operator: '=', value: 'a"} or vector(1)' },
    { label: 'kubernetes.pod.label.app', operator: '!=', value: 'x\\' },
  ] as const;
  t.true(
    render({ filter }).value.includes('host_name="a\\"} or vector(1)",kube_pod_label_app!="x\\\\"}[60s]'),
  );
  const forged = [{ label: 'a="b"} or m{x', operator: '=', value: '' }] as const;
  t.throws(() => render({ filter: forged }), { message: /^filter: expected a PromQL label/ });
});

test('holds a metric that is no name in quotes', (t) => {
  t.regex(
    render({ metric: 'm} or vector(1) or m{' }).value,
    /\(\{__name__="m\} or vector\(1\) or m\{",kube_namespace/,
  );
});

test('puts namespaces that are asked for the same names into one selector, and no other', (t) => {
  const places = [
    ['a', 'x'],
    ['a', 'y.1'],
    ['b', 'y.1'],
    ['b', 'x'],
    ['c', 'x'],
  ] as const;
  const members = places.map(([namespace, workload]) =>
    metric({ metric: 'm', namespace, workload, timeAggregation: 'max' }),
  );
  const wide = 'm{kube_namespace_name=~"a|b",kube_workload_name=~"x|y\\\\.1"}[60s]';
  const narrow = 'm{kube_namespace_name="c",kube_workload_name="x"}[60s]';
  t.is(
    groupedQuery(members, { aged: false }).value,
    `sum ${by} (max_over_time(${wide}) or max_over_time(${narrow}))`,
  );
});

test('asks for the newest sample of each beside its value', (t) => {
  t.is(render({}, true).age, `max ${by} (timestamp(${web}))`);
  t.is(render({}).age, undefined);
});

test('deals each member the rows that are its own', (t) => {
  const rowOf = (namespace: string, workload: string, type: string, cluster = 'eu') =>
    row(1, {
      kube_cluster_name: cluster,
      kube_namespace_name: namespace,
      kube_workload_name: workload,
      kube_workload_type: type,
    });
  const rows = [
    rowOf('shop', 'web', 'Deployment'),
    rowOf('shop', 'web', 'statefulset'),
    rowOf('shop', 'web', 'deployment', 'us'),
    rowOf('shop', 'web2', 'deployment'),
    rowOf('other', 'web', 'deployment'),
  ];
  const members = [
    metric(),
    metric({ workloadType: 'deployment' }),
    metric({ workloadType: 'deployment', cluster: 'us' }),
    metric({ workload: 'we.*' }),
    metric({ namespace: 'other' }),
  ];
  const [one, two, three, four, five] = rows;
  t.deepEqual(dealRows(members, rows), [[one, two, three], [one, three], [three], [], [five]]);
  t.truthy(four);
});
