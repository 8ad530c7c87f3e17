import type { NamedWorkload } from '#src/alerts/alert.ts';
import { priorities } from '#src/alerts/priority.ts';
import type { Reading } from '#src/ingest/reading.ts';
import { mostNameLength, mostRuleLength, mostSourceLength, readTime } from '#src/ingest/senders/falco.ts';
import { clusterIn } from '#src/ingest/senders/falco-place.ts';
import { isMembers, kubernetesName, type Members, podUid, saidText, shown } from '#src/ingest/wire-values.ts';

/**
 * Sysdig Secure's event forwarder, "Runtime Policy Events": an array of events, or one a line (Sysdig documentation: event
 * forwarding). It sends again what was not taken, with the same `id`.
 */
export function parseSysdig(value: unknown, reading: Reading): void {
  if (Array.isArray(value)) {
    for (const one of value) parseSysdig(one, reading);
    return;
  }
  const event = reading.begin(value);
  if (event !== undefined) readEvent(event, reading);
}

function readEvent(event: Members, reading: Reading): void {
  const content = membersIn(event['content']);
  const rule = reading.text(content['ruleName'], mostRuleLength);
  if (rule === undefined) {
    reading.refuse(
      `content.ruleName: expected a text, got ${shown(content['ruleName'])}; forward Runtime Policy Events only`,
    );
    return;
  }
  const severity = event['severity'];
  const priority = priorities[severityRank(severity)];
  if (priority === undefined) {
    reading.refuse(`severity: expected 0 to 7, got ${shown(severity)}`);
    return;
  }
  const id = saidText(event['id']);
  if (id !== undefined && id.length > mostIdLength) {
    reading.refuse(`id: expected at most ${mostIdLength} characters, got ${id.length}`);
    return;
  }
  const labels = membersIn(event['labels']);
  const fields = membersIn(content['fields']);
  const namespace =
    kubernetesName(labels['kubernetes.namespace.name']) ?? kubernetesName(fields['k8s.ns.name']);
  const pod = kubernetesName(labels['kubernetes.pod.name']) ?? kubernetesName(fields['k8s.pod.name']);
  reading.alerts.push({
    at: readTime(event['timestampRFC3339Nano']) ?? readTime(event['timestamp']),
    ended: false,
    sender: 'sysdig',
    rule,
    priority,
    source: reading.text(event['source'], mostSourceLength) ?? 'syscall',
    tags: reading.tags(content['ruleTags']),
    namespace: namespace ?? '',
    pod: pod ?? '',
    podUid: podUid(labels['kubernetes.pod.uid']) ?? podUid(fields['k8s.pod.uid']),
    workload: workloadIn(labels),
    host: reading.text(labels['kubernetes.node.name'] ?? labels['host.hostName'], mostNameLength),
    cluster: reading.text(clusterIn(labels) ?? clusterIn(fields), mostNameLength),
    id,
  });
}

const mostIdLength = 128;
const nothing: Members = {};
/** Sysdig's spelling of a kind in its labels, and ours. */
const kinds = [
  ['kubernetes.deployment.name', 'deployment'],
  ['kubernetes.statefulSet.name', 'statefulset'],
  ['kubernetes.statefulset.name', 'statefulset'],
  ['kubernetes.daemonSet.name', 'daemonset'],
  ['kubernetes.daemonset.name', 'daemonset'],
  ['kubernetes.cronJob.name', 'cronjob'],
  ['kubernetes.cronjob.name', 'cronjob'],
  ['kubernetes.job.name', 'job'],
] as const;

function membersIn(value: unknown): Members {
  return isMembers(value) ? value : nothing;
}

/** Sysdig's severities are those of syslog, as Falco's priorities are. */
function severityRank(severity: unknown): number {
  if (typeof severity === 'number') return severity;
  return typeof severity === 'string' && /^[0-7]$/.test(severity) ? Number(severity) : -1;
}

/** A workload's name alone does not tell which kind it is of: then the pod's name is the better witness. */
function workloadIn(labels: Members): NamedWorkload | undefined {
  const name = kubernetesName(labels['kubernetes.workload.name']);
  const type = labels['kubernetes.workload.type'];
  if (name !== undefined && typeof type === 'string' && /^[A-Za-z]{1,63}$/.test(type)) {
    return { kind: type.toLowerCase(), name };
  }
  for (const [label, kind] of kinds) {
    const workload = kubernetesName(labels[label]);
    if (workload !== undefined) return { kind, name: workload };
  }
  return undefined;
}
