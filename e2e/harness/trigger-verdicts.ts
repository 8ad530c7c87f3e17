import { attackMetricNames } from '#src/triggers/trigger.ts';

export type Metadata = Readonly<Record<string, string>>;

export const load = { source: 'sysdig', query: 'sum(up)', threshold: '100' };
export const attack = { source: 'falco', metric: 'infections', threshold: '0.5' };
const required = { source: 'falco', metric: 'requiredReplicas', healthyReplicas: '6' };

/** Each with what the policy says of it, beginning with the key; the scaler refuses the same. */
export const wrong: readonly (readonly [Metadata, string])[] = [
  [{ query: 'sum(up)', threshold: '1' }, 'source: expected sysdig or falco, got nothing'],
  [{ ...load, source: 'datadog' }, 'source: expected sysdig or falco, got "datadog"'],
  [{ ...load, treshold: '1' }, '"treshold": unknown key with source: sysdig'],
  [{ ...load, surge: 'true' }, '"surge": unknown key with source: sysdig'],
  [{ ...attack, queryFromEnv: 'up' }, '"queryFromEnv": unknown key with source: falco'],
  [
    { ...load, thresholdFromEnv: '1' },
    'threshold: expected one of threshold and thresholdFromEnv, got both; remove one',
  ],
  [
    { ...load, targetValue: '1' },
    'threshold: expected one of targetValue and threshold, got both; remove one',
  ],
  [
    { ...load, metricName: 'net.request.count' },
    'query, metricName: expected one of the two, got both; remove one',
  ],
  [
    { ...load, metricNameFromEnv: 'net.request.count' },
    'query, metricName: expected one of the two, got both; remove one',
  ],
  [{ source: 'sysdig', threshold: '1' }, 'query, metricName: expected one of the two, got neither'],
  [{ source: 'falco', threshold: '1' }, `metric: expected ${attackMetricNames.join(', ')}, got nothing`],
  [{ ...attack, metric: 'pods' }, `metric: expected ${attackMetricNames.join(', ')}, got "pods"`],
  [{ source: 'sysdig', query: 'up' }, 'threshold: expected a number of at least 0.001, got nothing'],
  [{ ...load, threshold: '0' }, 'threshold: expected a number of at least 0.001, got "0"'],
  [{ ...load, threshold: '-1' }, 'threshold: expected a number of at least 0.001, got "-1"'],
  [{ ...load, threshold: 'many' }, 'threshold: expected a number of at least 0.001, got "many"'],
  [
    { source: 'sysdig', query: 'up', targetValue: '1e99' },
    'targetValue: expected a number of at least 0.001, got "1e99"',
  ],
  [
    { ...load, thresholdUnderAttack: '100.0' },
    'thresholdUnderAttack: expected a number below threshold (100), got 100.0',
  ],
  [
    { ...load, thresholdUnderAttack: '' },
    'thresholdUnderAttack: expected a number of at least 0.001, got ""',
  ],
  [
    { source: 'falco', metric: 'requiredReplicas' },
    'healthyReplicas: expected the replicas that the load needs, with metric: requiredReplicas, got nothing',
  ],
  [
    { ...required, threshold: '2' },
    'threshold: expected 1 with metric: requiredReplicas, whose value is a number of replicas, got 2; remove it',
  ],
  [{ ...load, onError: 'zero' }, 'onError: expected error, lastValue, got "zero"'],
  [{ ...load, maxAge: '120' }, 'maxAge: expected a duration such as 90s, 5m or 1h30m, got "120"'],
  [{ ...attack, activationThreshold: 'no' }, 'activationThreshold: expected a number, got "no"'],
  [{ ...attack, surge: 'yes' }, 'surge: expected true, false, got "yes"'],
  [
    { source: 'falco', metric: 'pods', threshold: '0', window: 'long' },
    `metric: expected ${attackMetricNames.join(', ')}, got "pods"; window: expected a duration such as 90s, 5m or 1h30m, got "long"; threshold: expected a number of at least 0.001, got "0"`,
  ],
];

export const right: readonly Metadata[] = [
  load,
  attack,
  required,
  { ...required, threshold: '1' },
  {
    source: 'sysdig',
    metricName: 'jvm.heap.used',
    targetValue: '2e8',
    onError: 'lastValue',
    maxAge: '1h30m',
  },
  { ...load, thresholdUnderAttack: '50', attackWindow: '5m' },
  { sourceFromEnv: 'falco', metricFromEnv: 'alerts', thresholdFromEnv: '3' },
  { source: 'sysdig', queryFromEnv: 'sum(up)', targetValueFromEnv: '3' },
  { source: 'sysdig', metricNameFromEnv: 'net.request.count', thresholdFromEnv: '3' },
  { ...load, thresholdUnderAttackFromEnv: '5' },
  { ...attack, surgeFromEnv: 'true', windowFromEnv: '5m' },
];
