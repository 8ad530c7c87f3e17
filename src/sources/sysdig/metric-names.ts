import { Failure } from '#src/failure.ts';

/** Which of Sysdig's views of a metric: of a host, of a container, of a program. */
export type MetricScope = 'host' | 'container' | 'program';

/** The Data API's names of Sysdig's own metrics (Sysdig documentation: metrics dictionary), those that workloads scale on. */
const known: readonly string[] = [
  'cpu.cores.used cpu.cores.used.percent cpu.cores.quota.limit cpu.quota.used.percent cpu.shares.used.percent cpu.used.percent',
  'memory.bytes.used memory.bytes.virtual memory.bytes.total memory.bytes.available memory.used.percent memory.limit.used.percent',
  'memory.swap.bytes.used memory.swap.used.percent',
  'net.bytes.in net.bytes.out net.bytes.total net.connection.count.in net.connection.count.out net.connection.count.total',
  'net.error.count net.request.count net.request.count.in net.request.count.out net.request.time net.request.time.in net.request.time.out',
  'net.http.request.count net.http.request.time net.http.error.count net.sql.request.count net.sql.request.time net.sql.error.count',
  'net.mongodb.request.count net.mongodb.request.time net.mongodb.error.count',
  'file.bytes.in file.bytes.out file.bytes.total file.iops.in file.iops.out file.iops.total file.time.in file.time.out file.time.total',
  'file.error.open.count file.error.total.count file.open.count',
  'fs.bytes.used fs.bytes.free fs.bytes.total fs.used.percent fs.free.percent fs.inodes.used.percent',
  'proc.count thread.count syscall.count fd.used.percent uptime host.error.count container.count',
].flatMap((line) => line.split(' '));

/** Where the rule below does not hold: the whole PromQL name, `*` for the scope (Sysdig documentation: metrics mapping). */
const exceptions: Readonly<Record<string, string>> = {
  uptime: 'sysdig_*_up',
  'host.error.count': 'sysdig_host_syscall_error_count',
  'container.count': 'sysdig_container_count',
};

/** Words for units, which PromQL names have last. */
const units = new Set(['bytes', 'iops', 'percent', 'time', 'count']);

const ownFamilies = new Set([
  'cpu',
  'memory',
  'net',
  'file',
  'fs',
  'proc',
  'process',
  'thread',
  'syscall',
  'fd',
  'swap',
]);

/**
 * A metric's name in PromQL: `net.bytes.in` → `sysdig_container_net_in_bytes`. Dots become underscores, the unit moves to
 * the end, and `sysdig_SCOPE_` stands in front. The container scope is the default because only containers carry the
 * labels of a workload; `host.…` and `load.…` exist for hosts alone. A dotted name of no family of Sysdig's own is a
 * custom metric and only loses its dots; a name without dots is left as it is. Throws `invalid` for `kubernetes.…`,
 * whose names in PromQL follow no rule.
 */
export function promqlName(metric: string, scope: MetricScope = 'container'): string {
  const exception = Object.hasOwn(exceptions, metric) ? exceptions[metric] : undefined;
  if (exception !== undefined) return exception.replace('*', scope);
  if (!metric.includes('.')) return metric;
  const words = metric.split('.');
  const [family = '', ...rest] = words;
  if (family === 'kubernetes') {
    throw new Failure(
      'invalid',
      `metricName: expected a PromQL name such as kube_deployment_status_replicas_available, got ${JSON.stringify(metric)}, which has no counterpart by rule`,
    );
  }
  if (family === 'host' || family === 'container') return ['sysdig', family, ...unitLast(rest)].join('_');
  if (family === 'load') return ['sysdig', 'host', ...words].join('_');
  return ownFamilies.has(family) ? ['sysdig', scope, ...unitLast(words)].join('_') : words.join('_');
}

const dotted: ReadonlyMap<string, string> = new Map(
  known.flatMap((metric) =>
    (['program', 'host', 'container'] as const).map((scope) => [promqlName(metric, scope), metric] as const),
  ),
);

/** A metric's name for the Data API: `sysdig_container_net_in_bytes` → `net.bytes.in`. One that is not known stays as it is. */
export function dataApiName(metric: string): string {
  return dotted.get(metric) ?? metric;
}

/** Labels of hosts and containers by their names in PromQL (Sysdig documentation: label mapping). */
const ownLabels: ReadonlyMap<string, string> = new Map([
  ['host_hostname', 'host.hostName'],
  ['host_mac', 'host.mac'],
  ['container_name', 'container.name'],
  ['container_id', 'container.id'],
  ['container_image', 'container.image'],
]);

/** Kubernetes objects that are not written in small letters in Sysdig's own notation. */
const objects: ReadonlyMap<string, string> = new Map(
  ['daemonSet', 'replicaSet', 'statefulSet', 'replicationController'].map((name) => [
    name.toLowerCase(),
    name,
  ]),
);

/**
 * A label's name in PromQL: `kubernetes.daemonSet.name` → `kube_daemonset_name`, `kubernetes.pod.label.app` →
 * `kube_pod_label_app`; other dots become underscores.
 */
export function promqlLabel(label: string): string {
  if (label === 'host.hostName') return 'host_hostname';
  return label
    .replace(/^kubernetes\.([A-Za-z]+)\./, (_, object: string) => `kube_${object.toLowerCase()}_`)
    .replaceAll('.', '_');
}

/** A label's name for the Data API: `kube_pod_name` → `kubernetes.pod.name`. One that is not known stays as it is. */
export function dataApiLabel(label: string): string {
  const [, object = '', kind = '', rest = ''] =
    /^kube_([a-z]+)_(?:(name|uid|id|type)|label_(.+))$/.exec(label) ?? [];
  if (object === '') return ownLabels.get(label) ?? label;
  return `kubernetes.${objects.get(object) ?? object}.${kind || `label.${rest}`}`;
}

function unitLast(words: readonly string[]): string[] {
  const at = words.findIndex((word) => units.has(word));
  if (at < 0 || words.slice(at).every((word) => units.has(word))) return [...words];
  return [...words.slice(0, at), ...words.slice(at + 1), words[at] ?? ''];
}
