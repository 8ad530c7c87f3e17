import { conditionsOf } from '#src/sources/sysdig/broker/inquiry.ts';
import { promqlName } from '#src/sources/sysdig/metric-names.ts';
import { durationText } from '#src/sources/sysdig/promql/duration.ts';
import { matcher, oneOf } from '#src/sources/sysdig/promql-text.ts';
import type { Series } from '#src/sources/sysdig/upstream.ts';
import type { MetricOfWorkload } from '#src/triggers/trigger.ts';

const cluster = 'kube_cluster_name';
const namespace = 'kube_namespace_name';
const workload = 'kube_workload_name';
const workloadType = 'kube_workload_type';
const service = 'kube_service_name';
const plainName = /^[A-Za-z_:][A-Za-z0-9_:]*$/;

/** A grouped question and, where asked for, its twin that answers the time of the newest sample, epoch s. */
export interface GroupedQuery {
  readonly value: string;
  readonly age: string | undefined;
}

/**
 * One PromQL query for the same metric of many workloads (or services): everything but the workload, its type and its
 * namespace must be equal among them. The answer has one row for each cluster, namespace, workload and type.
 */
export function groupedQuery(
  members: readonly MetricOfWorkload[],
  { aged }: { aged: boolean },
): GroupedQuery {
  const [first] = members;
  if (!first) throw new Error('a grouped query of nobody');
  const labels =
    first.service === undefined
      ? [cluster, namespace, workload, workloadType]
      : [cluster, namespace, service];
  const selectors = selectorsFor(first, members);
  const by = `by (${labels.join(', ')})`;
  return {
    value: `${first.groupAggregation} ${by} (${overTime(first, selectors)})`,
    age: aged
      ? `max ${by} (${selectors.map((selector) => `timestamp(${selector})`).join(' or ')})`
      : undefined,
  };
}

/** The rows that are each member's own, by exact equality of what its question names; types regardless of case. */
export function dealRows(members: readonly MetricOfWorkload[], rows: readonly Series[]): Series[][] {
  const named = new Map<string, Series[]>();
  for (const row of rows) {
    const label = service in row.labels ? service : workload;
    const name = placeOf(row.labels[namespace], row.labels[label]);
    const others = named.get(name);
    if (others) others.push(row);
    else named.set(name, [row]);
  }
  return members.map((member) => {
    const own = named.get(placeOf(member.namespace, member.service ?? member.workload)) ?? [];
    return own.filter(
      ({ labels }) =>
        (member.cluster === undefined || labels[cluster] === member.cluster) &&
        (member.workloadType === undefined ||
          labels[workloadType]?.toLowerCase() === member.workloadType.toLowerCase()),
    );
  });
}

function placeOf(inNamespace: string | undefined, name: string | undefined): string {
  return JSON.stringify([inNamespace, name]);
}

/** One selector for all namespaces in which the same names are asked for, so that none selects what nobody asked. */
function selectorsFor(first: MetricOfWorkload, members: readonly MetricOfWorkload[]): string[] {
  const namesIn = new Map<string, Set<string>>();
  for (const member of members) {
    const names = namesIn.get(member.namespace) ?? new Set();
    names.add(member.service ?? member.workload ?? '');
    namesIn.set(member.namespace, names);
  }
  const alike = new Map<string, { namespaces: string[]; names: string[] }>();
  for (const [inNamespace, set] of [...namesIn].sort(byFirst)) {
    const names = [...set].sort();
    const key = JSON.stringify(names);
    const group = alike.get(key);
    if (group) group.namespaces.push(inNamespace);
    else alike.set(key, { namespaces: [inNamespace], names });
  }
  return [...alike.values()].map(({ namespaces, names }) => selector(first, namespaces, names));
}

function selector(first: MetricOfWorkload, namespaces: readonly string[], names: readonly string[]): string {
  const name = promqlName(first.metric);
  const plain = plainName.test(name);
  const conditions = [
    // What is no name may be anything, also an expression: only quotes hold it.
    ...(plain ? [] : [oneOf('__name__', [name])]),
    oneOf(namespace, namespaces),
    oneOf(first.service === undefined ? workload : service, names),
    ...(first.cluster === undefined
      ? []
      : [matcher({ label: cluster, operator: '=', value: first.cluster })]),
    ...conditionsOf(first.filter),
  ];
  return `${plain ? name : ''}{${conditions.join(',')}}`;
}

/**
 * Sysdig's time aggregations in PromQL. Its native counts are deltas per interval, so that their sum over the window
 * divided by its seconds is the rate (`timeAvg`); `rateOfChange` is the slope of a gauge.
 */
function overTime(first: MetricOfWorkload, selectors: readonly string[]): string {
  const { timeAggregation, windowMs } = first;
  const each = (name: string) =>
    selectors.map((one) => `${name}(${one}[${durationText(windowMs)}])`).join(' or ');
  switch (timeAggregation) {
    case 'timeAvg':
      return `(${each('sum_over_time')}) / ${windowMs / 1000}`;
    case 'rateOfChange':
      return `(${each('delta')}) / ${windowMs / 1000}`;
    default:
      return each(`${timeAggregation}_over_time`);
  }
}

function byFirst([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
