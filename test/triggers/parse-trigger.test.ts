import test from 'ava';
import fc from 'fast-check';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';
import type { SysdigTrigger } from '#src/triggers/trigger.ts';

const query = 'sum(rate(http_requests_total[1m]))';
const asQuery = { source: 'sysdig', query, threshold: '100' };
const asMetric = { source: 'sysdig', metricName: 'net.http.request.count', threshold: '100' };

function parse(scalerMetadata: Record<string, string>, cluster?: string) {
  return parseTrigger({ namespace: 'shop', name: 'checkout', scalerMetadata }, { cluster });
}

function valid(scalerMetadata: Record<string, string>, cluster?: string): SysdigTrigger {
  const parsed = parse(scalerMetadata, cluster);
  if (parsed.kind !== 'valid') throw parsed.failure;
  if (parsed.trigger.source !== 'sysdig') throw new Error('expected a trigger of source sysdig');
  return parsed.trigger;
}

function problemsOf(scalerMetadata: Record<string, string>): string[] {
  const parsed = parse(scalerMetadata);
  if (parsed.kind === 'valid') return [];
  return parsed.failure.message.replace('trigger of shop/checkout: ', '').split('; ');
}

test('a query and a threshold are enough', (t) => {
  const trigger = valid(asQuery);
  t.like(trigger, {
    threshold: 100,
    activationThreshold: 0,
    api: 'promql',
    select: { kind: 'query', query },
    maxAgeMs: 120_000,
    onError: 'error',
    staleMaxAgeMs: 300_000,
    cacheTtlMs: 10_000,
  });
  t.is(trigger.account, undefined);
  t.is(trigger.metricUnavailableValue, undefined);
});

test('a metric is of the workload that is named like the ScaledObject, in its namespace and the configured cluster', (t) => {
  t.like(valid(asMetric, 'prod-1').select, {
    kind: 'metric',
    metric: 'net.http.request.count',
    workload: 'checkout',
    workloadType: undefined,
    namespace: 'shop',
    cluster: 'prod-1',
    timeAggregation: 'avg',
    groupAggregation: 'sum',
    windowMs: 60_000,
  });
});

test('a workload may be written with its kind', (t) => {
  t.like(valid({ ...asMetric, workload: 'Deployment/cart' }).select, {
    workload: 'cart',
    workloadType: 'deployment',
  });
  t.like(valid({ ...asMetric, workload: 'cart', workloadType: 'StatefulSet' }).select, {
    workload: 'cart',
    workloadType: 'statefulset',
  });
});

test('targetValue is threshold, and a key from the environment is the key', (t) => {
  const trigger = valid({ source: 'sysdig', queryFromEnv: query, targetValue: '7.5' });
  t.is(trigger.threshold, 7.5);
  t.deepEqual(trigger.select, { kind: 'query', query });
});

test("KEDA's own keys are not ours to judge", (t) => {
  t.is(parse({ ...asQuery, scalerAddress: 'a:1', enableTLS: 'true', unsafeSsl: 'maybe' }).kind, 'valid');
});

test('a filter is read as label conditions', (t) => {
  const { select } = valid({ ...asMetric, filter: 'status="500", kube_pod_name!~\'canary-.*\'' });
  t.deepEqual(select.kind === 'metric' && select.filter, [
    { label: 'status', operator: '=', value: '500' },
    { label: 'kube_pod_name', operator: '!~', value: 'canary-.*' },
  ]);
});

test('what holds under attack is kept', (t) => {
  const trigger = valid({
    ...asQuery,
    thresholdUnderAttack: '50',
    attackRules: 'Write below *, !Read *',
    attackMinimumPriority: 'error',
  });
  t.deepEqual(trigger.underAttack, {
    threshold: 50,
    windowMs: 300_000,
    workload: {
      namespace: 'shop',
      kind: undefined,
      name: 'checkout',
      follows: { namespace: 'shop', name: 'checkout' },
    },
    filter: { minimumPriority: 'Error', rules: ['Write below *', '!Read *'], tags: [], sources: [] },
  });
  const attackOf = (metadata: Record<string, string>) =>
    valid({ ...metadata, thresholdUnderAttack: '50' }).underAttack?.workload;
  t.like(attackOf({ ...asMetric, workload: 'StatefulSet/db' }), { kind: 'statefulset', name: 'db' });
  t.like(attackOf({ ...asQuery, attackWorkload: 'deployment/cart' }), { kind: 'deployment', name: 'cart' });
});

const asData = { ...asMetric, api: 'data', cluster: 'prod', workload: 'deployment/cart' };

const wrong: [string, Record<string, string>, string[]][] = [
  ['no source', { query, threshold: '1' }, ['source: expected sysdig or falco, got nothing']],
  [
    'an unknown source',
    { ...asQuery, source: 'datadog' },
    ['source: expected sysdig or falco, got "datadog"'],
  ],
  [
    'no threshold',
    { source: 'sysdig', query },
    ['threshold: expected a number from 0.001 to 9200000000000000, got nothing'],
  ],
  [
    'a negative threshold',
    { ...asQuery, threshold: '-1' },
    ['threshold: expected a number from 0.001 to 9200000000000000, got "-1"'],
  ],
  [
    'a threshold beyond a double',
    { ...asQuery, threshold: '1e400' },
    ['threshold: expected a number from 0.001 to 9200000000000000, got "1e400"'],
  ],
  [
    'a threshold that is no number',
    { ...asQuery, threshold: '10 rps' },
    ['threshold: expected a number from 0.001 to 9200000000000000, got "10 rps"'],
  ],
  [
    'a threshold that HPAs refuse',
    { ...asQuery, threshold: '0.0001' },
    ['threshold: expected a number from 0.001 to 9200000000000000, got "0.0001"'],
  ],
  [
    'threshold twice',
    { ...asQuery, targetValue: '2' },
    ['threshold: expected one of targetValue and threshold, got both', 'remove one'],
  ],
  [
    'query and metricName',
    { ...asQuery, metricName: 'cpu.used.percent' },
    ['query, metricName: expected one of the two, got both', 'remove one'],
  ],
  [
    'neither query nor metricName',
    { source: 'sysdig', threshold: '1' },
    [
      'query, metricName: expected one of the two, got neither (a key …FromEnv arrives only when its variable is set)',
    ],
  ],
  [
    'an unknown key near a known one',
    { ...asQuery, tresholdUnderAttack: '5' },
    ['tresholdUnderAttack: unknown key', 'did you mean thresholdUnderAttack?'],
  ],
  ['a blank in a duration', { ...asQuery, maxAge: '5 m' }, ['maxAge: expected 10s to 24h, got "5 m"']],
  ['a duration without a unit', { ...asMetric, window: '5' }, ['window: expected 10s to 24h, got "5"']],
  ['a short cacheTTL', { ...asQuery, cacheTTL: '10ms' }, ['cacheTTL: expected 1s to 5m, got "10ms"']],
  [
    'an empty value',
    { ...asMetric, workload: '' },
    ['workload: expected a workload such as checkout or deployment/checkout, got ""'],
  ],
  [
    'a broken filter',
    { ...asMetric, filter: 'a="b" or 1=1' },
    ['filter: expected label conditions such as status="500", path=~"/api/.*", got "a=\\"b\\" or 1=1"'],
  ],
  [
    'a scope beside a query',
    { ...asQuery, namespace: 'shop' },
    ['namespace: goes with metricName, not with query', 'write it into the query itself'],
  ],
  [
    'the Data API with a query',
    { ...asQuery, api: 'data' },
    ['api: data needs metricName', 'a query is asked with api: promql'],
  ],
  [
    'an aggregator beside a metric',
    { ...asMetric, queryAggregator: 'sum' },
    ['queryAggregator: goes with query', 'with metricName use groupAggregation'],
  ],
  [
    'workload and service',
    { ...asMetric, workload: 'a', service: 'b' },
    ['workload: expected a workload or a service, got both', 'remove one'],
  ],
  [
    'an attack without its threshold',
    { ...asQuery, attackWindow: '5m' },
    ['attackWindow: goes with thresholdUnderAttack, which is missing'],
  ],
  [
    'a threshold that loosens under attack',
    { ...asQuery, thresholdUnderAttack: '100' },
    ['thresholdUnderAttack: expected a number below threshold (100), got 100'],
  ],
  [
    'an unknown choice',
    { ...asQuery, onError: 'zero' },
    ['onError: expected error or lastValue, got "zero"'],
  ],
  [
    'data that must be younger than memory is',
    { ...asQuery, maxAge: '15s' },
    ['maxAge: expected at least twice cacheTTL (20s), got 15s'],
  ],
  [
    'a metric whose PromQL name follows no rule',
    { ...asMetric, metricName: 'kubernetes.pod.restart.count' },
    ['metricName: expected a metric name such as net.http.request.count, got "kubernetes.pod.restart.count"'],
  ],
  [
    'the Data API over nobody knows which clusters',
    { source: 'sysdig', metricName: 'a', threshold: '1', api: 'data', workload: 'deployment/a' },
    ['cluster: expected a name with api: data (or CLUSTER_NAME where the scaler runs), got nothing'],
  ],
  [
    'the Data API over several kinds',
    { ...asData, workload: 'cart' },
    ['workload: expected its kind too with api: data, such as deployment/checkout'],
  ],
  [
    'the Data API over old data',
    { ...asData, window: '30m' },
    ['window: expected at most maxAge (2m) with api: data, which does not tell the age of data, got 30m'],
  ],
  [
    'a regular expression in the Data API',
    { ...asData, filter: 'a=~"b"' },
    ['filter: expected = or != with api: data, got a=~…', 'use api: promql'],
  ],
];

for (const [title, metadata, problems] of wrong) {
  test(`refuses ${title}`, (t) => t.deepEqual(problemsOf(metadata), problems));
}

test('tells all problems at once', (t) => {
  t.deepEqual(
    problemsOf({
      source: 'sysdig',
      query,
      metricName: 'a',
      threshold: '-1',
      window: '5',
      tokn: 'x',
      onError: 'zero',
    }),
    [
      'tokn: unknown key',
      'the keys are source, query, metricName, workload, workloadType, service, namespace, cluster, filter, timeAggregation, groupAggregation, window, queryAggregator, api, account, threshold, activationThreshold, thresholdUnderAttack, attackWindow, attackWorkload, attackRules, attackTags, attackMinimumPriority, maxAge, metricUnavailableValue, onError, staleMaxAge, cacheTTL',
      'window: expected 10s to 24h, got "5"',
      'threshold: expected a number from 0.001 to 9200000000000000, got "-1"',
      'onError: expected error or lastValue, got "zero"',
      'query, metricName: expected one of the two, got both',
      'remove one',
    ],
  );
});

test('a refused trigger still has a spec where source and threshold can be read', (t) => {
  const good = valid(asQuery);
  const refused = parse({ ...asQuery, onError: 'zero' });
  t.deepEqual(refused.kind === 'refused' && refused.spec, { metricName: good.metricName, threshold: 100 });
  t.is(parse({ ...asQuery, threshold: 'x' }).kind, 'unreadable');
  t.is(parse({ ...asQuery, source: 'x' }).kind, 'unreadable');
});

test('a megabyte of metadata is refused in one short line', (t) => {
  const refused = parse({ ...asQuery, query: 'x'.repeat(1024 * 1024) });
  t.is(refused.kind, 'refused');
  t.deepEqual(problemsOf({ ...asQuery, query: 'x'.repeat(1024 * 1024) }), [
    'metadata: expected at most 64 KiB, got 1025 KiB',
  ]);
});

test('whatever the keys and values are, an answer comes and no defect', (t) => {
  const odd = fc.constantFrom(
    'constructor',
    'toString',
    'valueOf',
    'hasOwnProperty',
    '__proto__',
    'source',
    'threshold',
    'query',
  );
  const metadata = fc.array(fc.tuple(fc.oneof(odd, fc.string()), fc.string()));
  fc.assert(
    fc.property(metadata, (entries) => {
      const parsed = parse({ ...asQuery, ...Object.fromEntries(entries) });
      return parsed.kind === 'valid' || parsed.failure.code === 'invalid';
    }),
  );
  t.deepEqual(problemsOf({ ...asQuery, constructor: 'x' }).slice(0, 1), ['constructor: unknown key']);
});

test('the Data API needs nothing but names', (t) => {
  t.is(parse(asData).kind, 'valid');
  t.is(parse({ ...asData, workload: 'deployment/a', filter: 'kubernetes.pod.name!="x"' }).kind, 'valid');
});

test('a falco trigger without a threshold has a spec all the same', (t) => {
  const refused = parse({ source: 'falco', metric: 'requiredReplicas' });
  t.like(refused, { kind: 'refused', spec: { threshold: 1 } });
});

test('a thousand unknown keys do not make a thousand lines', (t) => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`zzzzzzz${index}`, 'x']));
  t.is(problemsOf({ ...asQuery, ...many }).length, 12);
});
