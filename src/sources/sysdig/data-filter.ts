import { Failure } from '#src/failure.ts';
import { dataApiLabel } from '#src/sources/sysdig/metric-names.ts';
import type { LabelMatcher, MetricOfWorkload } from '#src/triggers/trigger.ts';

type Scope = Pick<
  MetricOfWorkload,
  'cluster' | 'namespace' | 'workload' | 'workloadType' | 'service' | 'filter'
>;

/**
 * The workload of a trigger, and its own conditions, as a Data API filter:
 * `kubernetes.namespace.name = 'shop' and kubernetes.workload.name = 'checkout'`. Throws `invalid` where a condition
 * cannot be said in that language.
 */
export function workloadFilter(scope: Scope): string {
  const { cluster, namespace, workload, workloadType, service, filter } = scope;
  const own = [
    ['kube_cluster_name', cluster],
    ['kube_namespace_name', namespace],
    ['kube_workload_name', workload],
    ['kube_workload_type', workloadType],
    ['kube_service_name', service],
  ] as const;
  const matchers = own.flatMap(([label, value]) =>
    value === undefined ? [] : [{ label, operator: '=', value } as const],
  );
  return dataFilter([...matchers, ...filter]);
}

/** Label matchers as a Data API filter, all of which must hold. Labels may be in either notation. Throws `invalid`. */
export function dataFilter(matchers: readonly LabelMatcher[]): string {
  return matchers.map(condition).join(' and ');
}

function condition({ label, operator, value }: LabelMatcher): string {
  if (!/^[A-Za-z_][A-Za-z0-9_.]*$/.test(label)) {
    throw new Failure(
      'invalid',
      `filter: expected a label such as kube_pod_name, got ${JSON.stringify(label.slice(0, 80))}`,
    );
  }
  if (operator !== '=' && operator !== '!=') {
    throw new Failure(
      'invalid',
      `filter: expected = or != with api: data, which knows no regular expressions, got ${label}${operator}…; use api: promql`,
    );
  }
  return `${dataApiLabel(label)} ${operator} ${literal(label, value)}`;
}

/**
 * A quoted literal. Quotes and backslashes are escaped with a backslash; control characters, which no label's value
 * holds, are refused rather than trusted to a parser.
 */
function literal(label: string, value: string): string {
  if (/\p{Cc}/u.test(value)) {
    throw new Failure('invalid', `filter: expected a value without control characters for ${label}, got one`);
  }
  return `'${value.toWellFormed().replace(/['\\]/g, '\\$&')}'`;
}
