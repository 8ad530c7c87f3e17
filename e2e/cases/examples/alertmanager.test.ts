import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import type { RawObject } from '#e2e/control-plane/raw-api.ts';
import { replicasSince, untilMeasured } from '#e2e/harness/autoscaler.ts';
import { startConfiguredPrometheus } from '#e2e/harness/configured-prometheus.ts';
import { openExample } from '#e2e/harness/example.ts';
import { Exporter } from '#e2e/harness/exporter.ts';
import { startAlertmanager } from '#test/harness/alertmanager.ts';

const token = 'alertmanager-token';

test('falco-to-alertmanager: two pods that falcosidekick counts call for four replicas', async (t) => {
  const example = await openExample(t, 'falco-to-alertmanager', {
    secrets: { 'alertmanager-ingest': { token } },
  });
  const { story, scaler } = example;
  const tokenFile = join(story.folder, 'token');
  writeFileSync(tokenFile, token);
  const exporter = new Exporter();
  await exporter.listen();
  t.teardown(() => exporter.close());
  const alertmanager = await startAlertmanager(receiving(scaler.ingest, tokenFile));
  t.teardown(() => alertmanager.stop());
  const rule = (await example.placed()).find(({ kind }) => kind === 'PrometheusRule');
  const prometheus = await startConfiguredPrometheus([{ address: exporter.address }], {
    groups: rule?.['spec'].groups,
    alertmanager: alertmanager.address,
  });
  t.teardown(() => prometheus.stop());

  await example.apply();
  await story.untilReady('invoices');
  const pods = await story.readyPods('invoices', 2);
  await untilMeasured(story, 'invoices');
  // Of no grave priority: no attack.
  exporter.set(eventsOf(story.namespace, pods[0], 'Read sensitive file untrusted', 'warning'), 3);
  const infectedAt = Date.now();
  for (const pod of pods) exporter.set(eventsOf(story.namespace, pod), 1);
  exporter.set('falcosecurity_falco_rules_matches_total{priority="2",rule_name="Shell in the shop"}', 2);
  await story.untilReplicas('invoices', 4);
  story.report('Falco to Prometheus to Alertmanager until the replicas follow', Date.now() - infectedAt);
  const accepted = 'external_scaler_ingest_alerts_total{sender="alertmanager",outcome="accepted"}';
  t.is(await story.metric(scaler, accepted), 2);
  // The same pods again are the same infections.
  for (const pod of pods) exporter.set(eventsOf(story.namespace, pod), 5);
  for (const pod of (await story.readyPods('invoices', 4)).filter(
    (one) => !names(pods).includes(one.metadata.name),
  )) {
    exporter.set(eventsOf(story.namespace, pod), 1);
  }
  await story.untilReplicas('invoices', 8);
  for (const pod of await story.readyPods('invoices', 8)) exporter.set(eventsOf(story.namespace, pod), 9);
  await story.untilReplicas('invoices', 10);
  t.deepEqual(replicasSince(story, 'invoices', infectedAt), [2, 4, 8, 10]);
});

/** The example's configuration, with this machine's address and file. */
function receiving(ingest: string, tokenFile: string): object {
  const text = readFileSync('examples/falco-to-alertmanager/settings/alertmanager.yaml', 'utf8');
  return parse(
    text
      .replace('http://external-scaler-sysdig-ingest.keda.svc:6001', ingest)
      .replace('/etc/alertmanager/secrets/external-scaler-ingest/token', tokenFile),
  );
}

/** The series that falcosidekick counts a pod's events in. */
function eventsOf(
  namespace: string,
  pod: RawObject | undefined,
  rule = 'Shell in the shop',
  priority = 'critical',
): string {
  return `falcosecurity_falcosidekick_falco_events_total{hostname="${pod?.['spec'].nodeName}",k8s_ns_name="${namespace}",k8s_pod_name="${pod?.metadata.name}",priority="${priority === 'critical' ? 2 : 4}",priority_raw="${priority}",rule="${rule}",source="syscall"}`;
}

function names(pods: readonly RawObject[]): string[] {
  return pods.map(({ metadata }) => metadata.name);
}
