import test from 'ava';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';
import { attackMetricNames, type FalcoTrigger } from '#src/triggers/trigger.ts';

const infections = { source: 'falco', metric: 'infections', threshold: '1' };

function parse(scalerMetadata: Record<string, string>, attacksAcrossNamespaces?: string[]) {
  const defaults = { cluster: undefined, attacksAcrossNamespaces };
  return parseTrigger({ namespace: 'shop', name: 'checkout', scalerMetadata }, defaults);
}

function valid(scalerMetadata: Record<string, string>, across?: string[]): FalcoTrigger {
  const parsed = parse(scalerMetadata, across);
  if (parsed.kind !== 'valid') throw parsed.failure;
  if (parsed.trigger.source !== 'falco') throw new Error('expected a trigger of source falco');
  return parsed.trigger;
}

function problemsOf(scalerMetadata: Record<string, string>): string[] {
  const parsed = parse(scalerMetadata);
  if (parsed.kind === 'valid') return [];
  return parsed.failure.message.replace('trigger of shop/checkout: ', '').split('; ');
}

test('a metric and a threshold are enough', (t) => {
  t.like(valid(infections), {
    metric: 'infections',
    workload: { namespace: 'shop', kind: undefined, name: 'checkout' },
    windowMs: 300_000,
    filter: { minimumPriority: 'Warning', rules: [], tags: [], sources: [] },
    threshold: 1,
    activationThreshold: 0,
    surplus: undefined,
    surge: false,
  });
});

test('everything that may be said is kept', (t) => {
  const trigger = valid({
    source: 'falco',
    metric: 'alertRate',
    targetValue: '0.5',
    workload: 'Deployment/cart',
    window: '90s',
    minimumPriority: 'info',
    rules: 'Write below *, !Write below etc',
    tags: 'mitre_*,!network',
    sources: 'syscall',
    activationThreshold: '2',
    surge: 'true',
  });
  t.like(trigger, {
    metric: 'alertRate',
    workload: { namespace: 'shop', kind: 'deployment', name: 'cart' },
    windowMs: 90_000,
    filter: {
      minimumPriority: 'Informational',
      rules: ['Write below *', '!Write below etc'],
      tags: ['mitre_*', '!network'],
      sources: ['syscall'],
    },
    threshold: 0.5,
    activationThreshold: 2,
    surge: true,
  });
});

test('the target of requiredReplicas is 1, and what it needs is read', (t) => {
  const trigger = valid({ source: 'falco', metric: 'requiredReplicas', healthyReplicas: '6' });
  t.is(trigger.threshold, 1);
  t.deepEqual(trigger.surplus, { healthyReplicas: 6, confidence: 0.99, maxSurplus: undefined });
  t.is(trigger.assumedRecreationMs, 60_000);
});

const refused: [title: string, metadata: Record<string, string>, problems: string[]][] = [
  ['no metric', { source: 'falco', threshold: '1' }, [`metric: expected ${sentence()}, got nothing`]],
  [
    'an unknown metric',
    { ...infections, metric: 'infected' },
    [`metric: expected ${sentence()}, got "infected"`],
  ],
  [
    'no threshold',
    { source: 'falco', metric: 'alerts' },
    ['threshold: expected a number of at least 0.001, got nothing'],
  ],
  ['a window out of bounds', { ...infections, window: '5s' }, ['window: expected 10s to 24h, got "5s"']],
  [
    'a priority that Falco does not have',
    { ...infections, minimumPriority: 'high' },
    [
      'minimumPriority: expected Emergency, Alert, Critical, Error, Warning, Notice, Informational, Debug, got "high"',
    ],
  ],
  [
    'a key of the other source',
    { ...infections, query: 'up' },
    ['query: goes with source: sysdig, got source: falco'],
  ],
  [
    'a workload of another namespace',
    { ...infections, namespace: 'bank' },
    [
      `namespace: expected the ScaledObject's own (shop), got "bank"`,
      'others are for namespaces that the operator lists in attacksAcrossNamespaces',
    ],
  ],
  [
    'requiredReplicas without its replicas, with a target and an activation',
    { source: 'falco', metric: 'requiredReplicas', threshold: '2', activationThreshold: '1' },
    [
      'healthyReplicas: expected the replicas that the load needs, with metric: requiredReplicas, got nothing',
      'threshold: expected 1 with metric: requiredReplicas, whose value is a number of replicas, got "2"',
      'remove it',
      'activationThreshold: does not go with metric: requiredReplicas, which is active while the window holds an alert',
      'remove it',
    ],
  ],
  [
    'keys of requiredReplicas elsewhere',
    { ...infections, healthyReplicas: '6', assumedRecreationSeconds: '5' },
    [
      'healthyReplicas: goes with metric: requiredReplicas, got metric: infections',
      'assumedRecreationSeconds: goes with metric: requiredReplicas or recreationSeconds',
    ],
  ],
];

for (const [title, metadata, problems] of refused) {
  test(`refuses ${title}`, (t) => t.deepEqual(problemsOf(metadata), problems));
}

test('an unknown key gets a suggestion out of the right keys', (t) => {
  t.is(
    problemsOf({ ...infections, minPriority: 'Error' })[0],
    'minPriority: unknown key; did you mean minimumPriority?'.split('; ')[0],
  );
});

test('a namespace that the operator lists may look into others', (t) => {
  t.is(valid({ ...infections, namespace: 'bank' }, ['shop']).workload.namespace, 'bank');
  t.is(parse({ ...infections, namespace: 'bank' }, ['bank']).kind, 'refused');
});

function sentence(): string {
  return `${attackMetricNames.slice(0, -1).join(', ')} or ${attackMetricNames.at(-1)}`;
}
