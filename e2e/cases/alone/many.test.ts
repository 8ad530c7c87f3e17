import { mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { startControlPlane } from '#e2e/control-plane/control-plane.ts';
import { builtPrograms } from '#e2e/control-plane/programs.ts';
import { Case } from '#e2e/harness/case.ts';
import { given } from '#e2e/harness/given.ts';
import { kedaCalls } from '#e2e/harness/keda-calls.ts';
import { startLiveSysdig } from '#e2e/harness/live-sysdig.ts';
import { scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';
import { readMetric, residentBytes } from '#e2e/harness/scaler-readings.ts';

const count = 300;
/** One poll of each, and two syncs of its HPA. */
const measuredMs = 30_000;

test(`${count} ScaledObjects become Ready, no call fails, and Sysdig is asked seldom`, async (t) => {
  // KEDA and the HPA's controller limit their requests to the API server: the other cases would wait for these. With so
  // many, KEDA's default of 20 a second is spent on writing statuses alone.
  const operatorOptions = ['--kube-api-qps=100', '--kube-api-burst=200'];
  const folder = mkdtempSync(join(dirname(given().logs), 'many-'));
  const run = { programs: await builtPrograms(), folder, operatorOptions };
  const { stop, ...controlPlane } = await startControlPlane(run);
  t.teardown(stop);
  const story = new Case(t, { ...given(), ...controlPlane }, 'many');
  await story.open();
  const sysdig = await startLiveSysdig();
  t.teardown(() => sysdig.stop());
  const scaler = await story.startScaler({ ...sysdig.settings, GRPC_ADDRESS: '127.0.0.1:0' });
  const names = Array.from({ length: count }, (_, n) => `shop-${String(n).padStart(3, '0')}`);
  await sysdig.setAll([...names.map(queried), ...names.map(named)], 10);

  const createdAt = Date.now();
  await Promise.all(
    names.map((name, n) =>
      story.apply(
        { ...workload(name), spec: { ...workload(name).spec, paused: true } },
        scaledObject(name, {
          triggers: [trigger(scaler.grpc, n % 2 === 0 ? byQuery(name) : byName(name))],
          spec: { pollingInterval: 30 },
        }),
      ),
    ),
  );
  story.report(`${count} ScaledObjects: created`, Date.now() - createdAt);
  await story.until('all are Ready and their HPAs have numbers', () => allScale(story), 150_000);
  story.report(`${count} ScaledObjects: Ready, and every HPA has its number`, Date.now() - createdAt);

  const [before, callsBefore] = [sysdig.requests, await kedaCalls(story.kedaMetrics, story.namespace)];
  await pause(measuredMs);
  const calls = await kedaCalls(story.kedaMetrics, story.namespace);
  const aMinute = 60_000 / measuredMs;
  const perMinute = (sysdig.requests - before) * aMinute;
  t.deepEqual(
    Object.keys(calls).filter((call) => !call.endsWith(' OK')),
    [],
  );
  const answered = (sum(calls) - sum(callsBefore)) * aMinute;
  t.true(answered > count * 10, `expected every trigger to be asked, got ${answered} calls`);
  story.report(`${count} ScaledObjects: calls of KEDA`, answered, 'a minute');
  story.report(`${count} ScaledObjects: requests to Sysdig`, perMinute, 'a minute');
  story.report(`${count} ScaledObjects: the scaler's memory`, residentBytes(scaler) / 1_000_000, 'MB');
  const cpu = await readMetric(scaler, 'process_cpu_seconds_total');
  story.report(`${count} ScaledObjects: the scaler's processor time since its start`, cpu, 's');
  t.true(perMinute < count, `expected less than one request a minute for each, got ${perMinute}`);
  t.true(names.every((name) => story.replicas.now(name) === 1));
});

function queried(name: string): string {
  return `load{namespace="many",workload="${name}"}`;
}

function named(name: string): string {
  return `jvm_heap_used{kube_cluster_name="e2e",kube_namespace_name="many",kube_workload_type="deployment",kube_workload_name="${name}"}`;
}

function byQuery(name: string) {
  return { source: 'sysdig', query: `sum(${queried(name)})`, threshold: '10' };
}

function byName(name: string) {
  return { source: 'sysdig', metricName: 'jvm.heap.used', workload: `deployment/${name}`, threshold: '10' };
}

/** Looks once a second: to read them all costs more than to scale them. */
async function allScale({ api, namespace }: Case): Promise<boolean> {
  await pause(1_000);
  const scaledObjects = await api.list('keda.sh/v1alpha1', 'ScaledObject', namespace);
  const ready = scaledObjects.filter(({ status }) =>
    status?.conditions?.some(
      ({ type, status }: { type: string; status: string }) => type === 'Ready' && status === 'True',
    ),
  );
  if (ready.length < count) return false;
  const autoscalers = await api.list('autoscaling/v2', 'HorizontalPodAutoscaler', namespace);
  return autoscalers.filter(({ status }) => status?.currentMetrics?.[0]?.external).length === count;
}

function sum(calls: Readonly<Record<string, number>>): number {
  return Object.values(calls).reduce((total, n) => total + n, 0);
}
