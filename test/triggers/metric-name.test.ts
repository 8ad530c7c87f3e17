import test from 'ava';
import { nameMetric } from '#src/triggers/metric-name.ts';

function nameOf(metadata: Record<string, string>): string {
  return nameMetric(new Map(Object.entries(metadata)));
}

// Golden: HPAs in the field carry these names. A change here breaks every user's HPA on upgrade.
const golden: [string, Record<string, string>][] = [
  [
    'sysdig-net.http.request.count-c48dcf54b6',
    { source: 'sysdig', metricName: 'net.http.request.count', threshold: '100' },
  ],
  [
    'sysdig-net.http.request.count-25a0042fdd',
    {
      source: 'sysdig',
      metricName: 'net.http.request.count',
      workload: 'deployment/checkout',
      namespace: 'shop',
      cluster: 'prod',
    },
  ],
  [
    'sysdig-sum-rate-http_requests_total-kube_na-c61eeb599c',
    { source: 'sysdig', query: 'sum(rate(http_requests_total{kube_namespace_name="shop"}[1m]))' },
  ],
  [
    'sysdig-__name__-gr-e-7b8c8f2625',
    { source: 'sysdig', query: '{__name__=~"größe.*"}', account: 'team-a' },
  ],
  ['falco-requiredReplicas-1e0b07a6d2', { source: 'falco', metric: 'requiredReplicas', window: '5m' }],
  [
    'falco-infections-6afb504936',
    {
      source: 'falco',
      metric: 'infections',
      rules: 'Write below *',
      tags: '!network',
      minimumPriority: 'Error',
    },
  ],
];

for (const [name, metadata] of golden) {
  test(`is ${name} for ever`, (t) => t.is(nameOf(metadata), name));
}

const plain = { source: 'sysdig', metricName: 'net.http.request.count', threshold: '100' };

test('does not change with thresholds and tuning', (t) => {
  const tuned = {
    threshold: '5',
    activationThreshold: '1',
    cacheTTL: '5s',
    maxAge: '1m',
    onError: 'lastValue',
    thresholdUnderAttack: '1',
  };
  t.is(nameOf({ ...plain, ...tuned }), nameOf(plain));
});

test('does not depend on the order of the keys', (t) => {
  t.is(nameOf(Object.fromEntries(Object.entries(plain).reverse())), nameOf(plain));
});

test('tells apart what is measured differently', (t) => {
  const differences: Record<string, string>[] = [
    {},
    { workload: 'a' },
    { service: 'a' },
    { filter: 'a="b"' },
    { window: '5m' },
    { account: 'a' },
    { cluster: 'a' },
  ];
  const names = differences.map((more) => nameOf({ ...plain, ...more }));
  t.is(new Set(names.map((name) => name.toLowerCase())).size, names.length);
});

test('holds only what the HPA takes, in at most 63 characters', (t) => {
  for (const query of ['sum(rate(a{b="/x%y"}[1m]))', '\u0000\n/%%', 'ü'.repeat(500), '']) {
    t.regex(nameOf({ source: 'sysdig', query }), /^[A-Za-z0-9._-]{1,63}$/);
  }
});
