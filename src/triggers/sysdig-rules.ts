import { formatDuration } from '#src/fields/duration.ts';
import { sysdigSchema } from '#src/triggers/sysdig-schema.ts';
import type { TriggerDefaults } from '#src/triggers/trigger.ts';

type Values = ReadonlyMap<string, string>;
type Shape = typeof sysdigSchema.shape;

const withMetricName = [
  'workload',
  'workloadType',
  'service',
  'namespace',
  'cluster',
  'filter',
  'timeAggregation',
  'groupAggregation',
  'window',
];
const withAttack = ['attackWindow', 'attackWorkload', 'attackRules', 'attackTags', 'attackMinimumPriority'];

/** What the keys demand of each other, read from what was given, so that it is told beside every other problem. */
export function brokenRules(values: Values, defaults: TriggerDefaults): string[] {
  const ofDataApi = values.get('api')?.trim() === 'data' ? withDataApi(values, defaults) : [];
  return [...togetherness(values), ...proportions(values), ...ofDataApi];
}

/** Which keys go with which. */
function togetherness(values: Values): string[] {
  const problems: string[] = [];
  const given = (key: string) => values.has(key);
  if (given('query') && given('metricName')) {
    problems.push('query, metricName: expected one of the two, got both; remove one');
  }
  if (!given('query') && !given('metricName')) {
    problems.push(
      'query, metricName: expected one of the two, got neither (a key …FromEnv arrives only when its variable is set)',
    );
  }
  if (given('query') && !given('metricName')) {
    for (const key of withMetricName.filter(given)) {
      problems.push(`${key}: goes with metricName, not with query; write it into the query itself`);
    }
  }
  if (given('metricName') && given('queryAggregator')) {
    problems.push('queryAggregator: goes with query; with metricName use groupAggregation');
  }
  if (given('service')) {
    for (const key of ['workload', 'workloadType'].filter(given)) {
      problems.push(`${key}: expected a workload or a service, got both; remove one`);
    }
  }
  if (values.get('workload')?.includes('/') && given('workloadType')) {
    problems.push('workloadType: the kind already stands in workload; remove one');
  }
  if (!given('thresholdUnderAttack')) {
    for (const key of withAttack.filter(given))
      problems.push(`${key}: goes with thresholdUnderAttack, which is missing`);
  }
  return problems;
}

/** Numbers that must stand in a proportion; those that cannot be read are told of elsewhere. */
function proportions(values: Values): string[] {
  const problems: string[] = [];
  const [target, underAttack] = [fieldOf(values, 'threshold'), fieldOf(values, 'thresholdUnderAttack')];
  if (target !== undefined && underAttack !== undefined && underAttack >= target) {
    problems.push(`thresholdUnderAttack: expected a number below threshold (${target}), got ${underAttack}`);
  }
  const [maxAgeMs, cacheTtlMs] = [fieldOf(values, 'maxAge'), fieldOf(values, 'cacheTTL')];
  if (maxAgeMs !== undefined && cacheTtlMs !== undefined && maxAgeMs < 2 * cacheTtlMs) {
    const least = formatDuration(2 * cacheTtlMs);
    problems.push(`maxAge: expected at least twice cacheTTL (${least}), got ${formatDuration(maxAgeMs)}`);
  }
  return problems;
}

/** The Data API's answers carry no labels, so what would be ambiguous must be named beforehand. */
function withDataApi(values: Values, defaults: TriggerDefaults): string[] {
  const given = (key: string) => values.has(key);
  if (!given('metricName')) return ['api: data needs metricName; a query is asked with api: promql'];
  const problems: string[] = [];
  if (!given('cluster') && defaults.cluster === undefined) {
    problems.push(
      'cluster: expected a name with api: data (or CLUSTER_NAME where the scaler runs), got nothing',
    );
  }
  if (!given('service') && !given('workloadType') && !values.get('workload')?.includes('/')) {
    problems.push('workload: expected its kind too with api: data, such as deployment/checkout');
  }
  const windowMs = fieldOf(values, 'window');
  const maxAgeMs = fieldOf(values, 'maxAge');
  if (windowMs !== undefined && maxAgeMs !== undefined && windowMs > maxAgeMs) {
    problems.push(
      `window: expected at most maxAge (${formatDuration(maxAgeMs)}) with api: data, which does not tell the age of data, got ${formatDuration(windowMs)}`,
    );
  }
  const regular = fieldOf(values, 'filter')?.find(({ operator }) => operator.includes('~'));
  if (regular !== undefined) {
    problems.push(
      `filter: expected = or != with api: data, got ${regular.label}${regular.operator}…; use api: promql`,
    );
  }
  return problems;
}

/** A key's value, or its default; undefined where it cannot be read. */
function fieldOf<K extends keyof Shape>(values: Values, key: K): Shape[K]['_output'] | undefined {
  return sysdigSchema.shape[key].safeParse(values.get(key)).data as Shape[K]['_output'] | undefined;
}
