import { type Priority, priorities } from '#src/alerts/priority.ts';
import { parseTime } from '#src/ingest/event-time.ts';
import type { Reading } from '#src/ingest/reading.ts';
import {
  isSignOfLife,
  mostNameLength,
  mostRuleLength,
  mostSourceLength,
  readPriority,
} from '#src/ingest/senders/falco.ts';
import { clusterIn } from '#src/ingest/senders/falco-place.ts';
import { isMembers, kubernetesName, type Members, podUid, saidText, shown } from '#src/ingest/wire-values.ts';

/**
 * Prometheus Alertmanager's webhook, version 4. A group is sent again with every change in it and after each
 * `repeat_interval`, so an alert is known by (fingerprint, startsAt): it counts at its start, once, until it is resolved.
 *
 * Labels are those of falco-exporter and of falcosidekick's Prometheus and Alertmanager outputs, which write Falco's fields
 * with underscores; `alertname`, `severity`, `namespace` and `pod` are what rules of Prometheus itself usually have.
 */
export function parseAlertmanager(value: unknown, reading: Reading): void {
  const alerts = isMembers(value) ? value['alerts'] : undefined;
  if (!Array.isArray(alerts)) {
    reading.refuseText(`alerts: expected an array, as in version 4 of the webhook, got ${shown(alerts)}`);
    return;
  }
  for (const one of alerts) {
    const alert = reading.begin(one);
    if (alert !== undefined) readAlert(alert, reading);
  }
}

function readAlert(alert: Members, reading: Reading): void {
  const labels = isMembers(alert['labels']) ? alert['labels'] : nothing;
  const rule = reading.text(labels['rule'] ?? labels['alertname'], mostRuleLength);
  if (rule === undefined) {
    reading.refuse('labels.rule or labels.alertname: expected a text, got neither');
    return;
  }
  const source = reading.text(sourceIn(labels), mostSourceLength) ?? 'syscall';
  if (isSignOfLife(rule, source)) {
    reading.signsOfLife += 1;
    return;
  }
  const grade =
    saidText(labels['priority']) ?? saidText(labels['priority_raw']) ?? saidText(labels['severity']);
  const priority = priorityOf(grade);
  if (priority === undefined) {
    reading.refuse(
      `labels.priority or labels.severity: expected one of ${priorities.join(', ')}, got ${shown(grade)}`,
    );
    return;
  }
  const [fingerprint, startsAt] = [saidText(alert['fingerprint']), saidText(alert['startsAt'])];
  const at = startsAt === undefined ? undefined : parseTime(startsAt);
  if (fingerprint === undefined || fingerprint.length > 64 || at === undefined) {
    reading.refuse(
      `fingerprint and startsAt: expected both, got ${shown(alert['fingerprint'])} and ${shown(alert['startsAt'])}`,
    );
    return;
  }
  const own = isScraped(labels) ? nothing : labels;
  reading.alerts.push({
    at,
    ended: alert['status'] === 'resolved',
    sender: 'alertmanager',
    rule,
    priority,
    source,
    tags: reading.tags(labels['tags']),
    namespace: kubernetesName(labels['k8s_ns_name']) ?? kubernetesName(own['namespace']) ?? '',
    pod: kubernetesName(labels['k8s_pod_name']) ?? kubernetesName(own['pod']) ?? '',
    podUid: podUid(labels['k8s_pod_uid']),
    workload: undefined,
    host: reading.text(labels['hostname'], mostNameLength),
    cluster: reading.text(clusterIn(labels), mostNameLength),
    // The time as a number: one member of a cluster of Alertmanagers may write it in another way than the next.
    id: `${fingerprint} ${at}`,
  });
}

const nothing: Members = {};

/** falcosidekick labels its alerts `source: falco`, and tells Falco's event source as `eventsource`. */
function sourceIn(labels: Members): unknown {
  if (labels['eventsource'] !== undefined) return labels['eventsource'];
  return labels['source'] === 'falco' ? undefined : labels['source'];
}

/**
 * A series of falco-exporter or falcosidekick that Prometheus has scraped: its `namespace` and `pod` are the exporter's own,
 * and all that an alert about a host has.
 */
function isScraped(labels: Members): boolean {
  return labels['rule'] !== undefined && labels['instance'] !== undefined;
}

/** A priority, or a severity in the words that rules of Prometheus use; never a guess for others. */
function priorityOf(grade: string | undefined): Priority | undefined {
  if (grade === undefined) return undefined;
  return readPriority(grade) ?? (grade.toLowerCase() === 'information' ? 'Informational' : undefined);
}
