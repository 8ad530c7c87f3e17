import test from 'ava';
import { Failure } from '#src/failure.ts';
import { dataApiLabel, dataApiName, promqlLabel, promqlName } from '#src/sources/sysdig/metric-names.ts';

const both: [dataApi: string, promql: string][] = [
  ['net.http.request.count', 'sysdig_container_net_http_request_count'],
  ['net.bytes.in', 'sysdig_container_net_in_bytes'],
  ['net.connection.count.total', 'sysdig_container_net_connection_total_count'],
  ['net.request.time.in', 'sysdig_container_net_request_in_time'],
  ['memory.bytes.used', 'sysdig_container_memory_used_bytes'],
  ['memory.limit.used.percent', 'sysdig_container_memory_limit_used_percent'],
  ['file.iops.in', 'sysdig_container_file_in_iops'],
  ['cpu.used.percent', 'sysdig_container_cpu_used_percent'],
  ['uptime', 'sysdig_container_up'],
  ['host.error.count', 'sysdig_host_syscall_error_count'],
  ['container.count', 'sysdig_container_count'],
];
for (const [dataApi, promql] of both) {
  test(`${dataApi} is ${promql}`, (t) => {
    t.is(promqlName(dataApi), promql);
    t.is(dataApiName(promql), dataApi);
  });
}

test('the scope stands in the name', (t) => {
  t.is(promqlName('net.bytes.in', 'host'), 'sysdig_host_net_in_bytes');
  t.is(promqlName('uptime', 'program'), 'sysdig_program_up');
  t.is(dataApiName('sysdig_program_net_in_bytes'), 'net.bytes.in');
});

test('a name in the wanted notation, and a custom one, stay as they are', (t) => {
  for (const name of ['sysdig_container_net_in_bytes', 'http_requests_total', 'job:errors:rate5m', 'up']) {
    t.is(promqlName(name), name);
  }
  for (const name of ['net.bytes.in', 'http_requests_total', 'sysdig_container_of_tomorrow', 'constructor']) {
    t.is(dataApiName(name), name);
  }
  t.is(promqlName('constructor'), 'constructor');
});

test('a dotted custom metric only loses its dots', (t) => {
  t.is(promqlName('shop.orders.count.open'), 'shop_orders_count_open');
});

test('a kubernetes metric has no counterpart by rule', (t) => {
  const failure = t.throws(() => promqlName('kubernetes.deployment.replicas.available'), {
    instanceOf: Failure,
  });
  t.is(failure.code, 'invalid');
});

const labels: [promql: string, dataApi: string][] = [
  ['kube_cluster_name', 'kubernetes.cluster.name'],
  ['kube_namespace_name', 'kubernetes.namespace.name'],
  ['kube_workload_name', 'kubernetes.workload.name'],
  ['kube_workload_type', 'kubernetes.workload.type'],
  ['kube_statefulset_name', 'kubernetes.statefulSet.name'],
  ['kube_pod_uid', 'kubernetes.pod.uid'],
  ['kube_pod_label_app', 'kubernetes.pod.label.app'],
  ['kube_daemonset_label_app', 'kubernetes.daemonSet.label.app'],
  ['host_hostname', 'host.hostName'],
  ['container_id', 'container.id'],
];
for (const [promql, dataApi] of labels) {
  test(`the label ${promql} is ${dataApi}`, (t) => {
    t.is(promqlLabel(dataApi), promql);
    t.is(dataApiLabel(promql), dataApi);
    t.is(promqlLabel(promql), promql);
    t.is(dataApiLabel(dataApi), dataApi);
  });
}
