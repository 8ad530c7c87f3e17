import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { RawObject } from '#e2e/control-plane/raw-api.ts';
import { goneAfter, readyAfter } from '#e2e/control-plane/stages.ts';
import type { Case } from '#e2e/harness/case.ts';
import { scaledObject, trigger } from '#e2e/harness/manifests.ts';
import { infect, lost, reaping, rule, settleMs, skipped, withWorkload } from '#e2e/harness/reaping.ts';

test('an infected pod is evicted, and what became of it is counted', async (t) => {
  const story = await withWorkload(t, 'reap', { replicas: 4 });
  const scaler = await story.startScaler(reaping);
  const metadata = { source: 'falco', metric: 'requiredReplicas', healthyReplicas: '4', window: '2m' };
  const required = trigger(scaler.grpc, metadata, { type: 'external-push' });
  const numbers = ['reapedPods', 'reapRate', 'reapedPercent', 'recreationSeconds', 'infectedPods'].map(
    (metric) => trigger(scaler.grpc, { source: 'falco', metric, threshold: '100', window: '2m' }),
  );
  await story.apply(scaledObject('checkout', { triggers: [required, ...numbers], min: 4, max: 20 }));
  const pods = await story.readyPods('checkout', 4);
  await story.untilReady('checkout');
  const [victim] = pods as [RawObject];
  const postedAt = Date.now();
  await infect(story, scaler, [victim]);
  await story.until('the pod is lost', async () => (await lost(story, pods)).length > 0);
  story.report('POST of an alert until its pod is evicted', Date.now() - postedAt);
  t.deepEqual(await lost(story, pods), [victim.metadata.name]);
  await story.readyPods('checkout', 4);
  const event = await story.until('the Event', async () =>
    (await story.events('checkout')).find((one) => one.startsWith('ReapedPod')),
  );
  t.is(event, `ReapedPod: evicted pod ${victim.metadata.name}: alert of rule ${rule}`);
  await story.until('its replacement is known', () =>
    scaler.lines.some((line) => line.includes('"outcome":"ready"')),
  );
  const values = await story.until('every metric has its value', async () => {
    const { triggers } = await story.status(scaler);
    const of = (name: string) =>
      triggers.find((one: { metricName: string }) => one.metricName.startsWith(`falco-${name}-`));
    const all = [
      'reapedPods',
      'reapRate',
      'reapedPercent',
      'recreationSeconds',
      'infectedPods',
      'requiredReplicas',
    ].map(of);
    // An HPA may have looked between the eviction and the replacement.
    const isOver = of('reapedPercent')?.value === 20 && of('requiredReplicas')?.inputs?.recreating === 0;
    return all.every((one) => one?.value !== undefined) && isOver && all;
  });
  const [reapedPods, reapRate, reapedPercent, recreation, infected, needed] = values.map(
    ({ value }) => value,
  );
  t.is(reapedPods, 1);
  t.is(reapRate, 0.5);
  t.is(reapedPercent, 20);
  t.true(recreation > 0 && recreation < 30, `recreationSeconds is ${recreation}`);
  t.is(infected, 0);
  t.true(needed > 4 && needed <= 12, `requiredReplicas is ${needed}`);
  t.like(values[5].inputs, { newInfections: 1, infected: 0, recreating: 0, outageSeconds: 60 });
});

test('dry-run decides, says so, and does nothing', async (t) => {
  const story = await withWorkload(t, 'dry-run');
  const scaler = await story.startScaler({ ...reaping, REAPER: 'dry-run' });
  const pods = await story.readyPods('checkout', 3);
  await infect(story, scaler, pods.slice(0, 1));
  await story.until('the Event', async () =>
    (await story.events('checkout')).some((one) => one.startsWith('WouldReapPod')),
  );
  await pause(settleMs);
  t.deepEqual(await lost(story, pods), []);
});

test('a workload that has not opted in is left alone', async (t) => {
  const story = await withWorkload(t, 'not-opted-in', { labels: {} });
  const scaler = await story.startScaler(reaping);
  const pods = await story.readyPods('checkout', 3);
  await infect(story, scaler, pods);
  await skipped(story, scaler, 'not-opted-in');
  t.deepEqual(await lost(story, pods), []);
});

test("a StatefulSet's new pod is not killed by the alert about the old one of its name", async (t) => {
  const story = await withWorkload(t, 'same-name', { kind: 'StatefulSet' });
  const scaler = await story.startScaler(reaping);
  const pods = await story.readyPods('checkout', 3);
  const [old] = pods as [RawObject];
  const infectedAt = Date.now();
  await story.api.delete('v1', 'Pod', story.namespace, old.metadata.name);
  const named = () => story.get('Pod', old.metadata.name);
  const isNew = async () => {
    const pod = await named();
    return pod !== undefined && pod.metadata['uid'] !== old.metadata['uid'] && pod;
  };
  await story.until('a new pod of that name', isNew);
  // kwok deletes by name, and may do so twice: the one that is there in the end is meant.
  await pause(settleMs);
  await story.readyPods('checkout', 3);
  const fresh = await story.until('a new pod of that name', isNew);
  // With the UID of the old one, and as Falco sends it unless told otherwise: without any.
  await infect(story, scaler, [old], { at: infectedAt });
  await skipped(story, scaler, 'other-pod');
  await infect(story, scaler, [old], { at: infectedAt, uid: undefined });
  await skipped(story, scaler, 'younger-than-alert');
  await pause(settleMs);
  t.is((await named())?.metadata['uid'], fresh.metadata['uid']);
});

test('a PodDisruptionBudget that allows nothing is never broken', async (t) => {
  const story = await withWorkload(t, 'budget');
  await story.apply({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'checkout' },
    spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'checkout' } } },
  });
  const scaler = await story.startScaler(reaping);
  const pods = await story.readyPods('checkout', 3);
  await story.until('the budget is counted', async () => {
    const budget = await story.get('PodDisruptionBudget', 'checkout', 'policy/v1');
    return budget?.['status']?.currentHealthy === 3;
  });
  await infect(story, scaler, pods);
  await skipped(story, scaler, 'disruption-budget');
  await pause(3 * settleMs);
  t.deepEqual(await lost(story, pods), []);
});

test('five infected out of six with a floor of half lose three at most', async (t) => {
  const story = await withWorkload(t, 'floor', { replicas: 6, annotations: { [readyAfter]: '10m' } });
  const scaler = await story.startScaler({ ...reaping, REAPER_MAX_PER_WORKLOAD: '10' });
  const pods = await story.until('six pods', async () => {
    const found = await story.pods('checkout');
    return found.length === 6 && found.every(({ spec }) => spec.nodeName) && found;
  });
  await story.makeReady(pods);
  await infect(story, scaler, pods.slice(0, 5));
  await story.until('three are lost', async () => (await lost(story, pods)).length === 3);
  await skipped(story, scaler, 'floor');
  await pause(3 * settleMs);
  t.is((await lost(story, pods)).length, 3);
});

test('nobody can make it take a service below its floor, during a surge and a rollout either', async (t) => {
  const story = await withWorkload(t, 'at-will', { replicas: 6, annotations: { [readyAfter]: '2s' } });
  const scaler = await story.startScaler({
    ...reaping,
    SURGE: 'on',
    REAPER_MAX_PER_WORKLOAD: '100',
    REAPER_MAX_PER_CLUSTER: '100',
  });
  const metadata = { source: 'falco', metric: 'infections', threshold: '1', window: '1m', surge: 'true' };
  await story.apply(
    scaledObject('checkout', {
      triggers: [trigger(scaler.grpc, metadata, { type: 'external-push' })],
      min: 6,
      max: 12,
    }),
  );
  await story.untilReady('checkout');
  await story.readyPods('checkout', 6);
  const floor = 3;
  let lowest = Number.POSITIVE_INFINITY;
  const until = Date.now() + 30_000;
  const watching = (async () => {
    while (Date.now() < until) {
      const ready = (await story.pods('checkout')).filter(
        ({ metadata: { deletionTimestamp }, status }) =>
          deletionTimestamp === undefined &&
          status?.conditions?.some(
            (one: { type: string; status: string }) => one.type === 'Ready' && one.status === 'True',
          ),
      );
      lowest = Math.min(lowest, ready.length);
      await pause(20);
    }
  })();
  let rollouts = 0;
  while (Date.now() < until) {
    await infect(
      story,
      scaler,
      (await story.pods('checkout')).filter(({ spec }) => spec.nodeName),
    );
    if (rollouts++ % 20 === 10) {
      const template = { metadata: { annotations: { turn: String(rollouts) } } };
      const about = { namespace: story.namespace, name: 'checkout' };
      await story.api.merge({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: about,
        spec: { template },
      });
    }
    await pause(200);
  }
  await watching;
  t.true(lowest >= floor, `${lowest} were available`);
  t.true((await story.metric(scaler, 'external_scaler_reaper_reaps_total{how="evicted"}')) >= 1);
});

test('forged alerts reap nothing', async (t) => {
  const story = await withWorkload(t, 'forged');
  const scaler = await story.startScaler(reaping);
  const pods = await story.readyPods('checkout', 3);
  const [pod] = pods as [RawObject];
  await infect(story, scaler, [pod], { host: 'another-node' });
  await skipped(story, scaler, 'node');
  await infect(story, scaler, [pod], { cluster: 'another' });
  await infect(story, scaler, pods.slice(1, 2), { at: Date.now() - 5 * 60_000 });
  await skipped(story, scaler, 'stale');
  await story.alert(scaler, 'checkout-7d9f8b6c5d-x2x4z');
  await skipped(story, scaler, 'no-pod');
  await story.alert(scaler, pod.metadata.name, { uid: '00000000-0000-0000-0000-000000000000' });
  await skipped(story, scaler, 'other-pod');
  await story.alert(scaler, 'coredns', { namespace: 'kube-system' });
  await infect(story, scaler, [pod], { rule: 'Terminal shell in container' });
  await infect(story, scaler, [pod], { priority: 'Warning' });
  await pause(settleMs);
  t.deepEqual(await lost(story, pods), []);
});

test('a reaper that is killed in the middle of an eviction does not evict twice', async (t) => {
  for (const [round, delayMs] of [0, 4, 15].entries()) {
    const story = await withWorkload(t, `killed-${round}`, { annotations: { [goneAfter]: '4s' } });
    const settings = { ...reaping, JOURNAL: `sqlite:${story.folder}/shared.db` };
    const first = await story.startScaler(settings);
    const pods = await story.readyPods('checkout', 3);
    await infect(story, first, pods.slice(0, 1));
    await story.until('it is about to act', () => first.lines.some((line) => line.includes('"reaps a pod"')));
    await pause(delayMs);
    await first.kill();
    const second = await story.startScaler(settings);
    await infect(story, second, pods.slice(0, 1));
    await story.until('the pod is lost', async () => (await lost(story, pods)).length === 1, 40_000);
    await story.readyPods('checkout', 3);
    await pause(settleMs);
    t.is((await lost(story, pods)).length, 1);
    const replacements = (await story.pods('checkout')).filter(
      ({ metadata }) => !pods.some((pod) => pod.metadata['uid'] === metadata['uid']),
    );
    t.is(replacements.length, 1);
  }
});

test('of two scalers one reaps', async (t) => {
  const story = await withWorkload(t, 'two', { replicas: 6 });
  const both = [await story.startScaler(reaping), await story.startScaler(reaping)] as const;
  const pods = await story.readyPods('checkout', 6);
  for (const scaler of both) await infect(story, scaler, pods.slice(0, 2));
  await story.until('two are lost', async () => (await lost(story, pods)).length === 2);
  await pause(settleMs);
  const reaps = await Promise.all(
    both.map((scaler) => story.metric(scaler, 'external_scaler_reaper_reaps_total{how="evicted"}')),
  );
  t.deepEqual(reaps.sort(), [0, 2]);
  t.is((await lost(story, pods)).length, 2);
});

for (const [what, pauseIt] of [
  ['the label of the workload', (story: Case) => label(story, 'apps/v1', 'Deployment', 'checkout')],
  ['the label of the namespace', (story: Case) => label(story, 'v1', 'Namespace', story.namespace)],
  [
    'the ConfigMap of the scaler',
    (story: Case) =>
      story.apply({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'external-scaler-sysdig', namespace: story.home },
        data: { acts: 'paused' },
      }),
  ],
] as const) {
  test(`${what} stops the next reap`, async (t) => {
    const story = await withWorkload(t, 'paused', { replicas: 5 });
    const scaler = await story.startScaler(reaping);
    const pods = await story.readyPods('checkout', 5);
    await infect(story, scaler, pods.slice(0, 1));
    await story.until('one is lost', async () => (await lost(story, pods)).length === 1);
    await pauseIt(story);
    // The switches for many are believed for 2 s.
    await pause(2_500);
    await infect(story, scaler, pods.slice(1, 2));
    await skipped(story, scaler, 'paused');
    await pause(settleMs);
    t.is((await lost(story, pods)).length, 1);
  });
}

test('a pod in quarantine is out of service, is replaced, and stays to be looked at', async (t) => {
  const story = await withWorkload(t, 'quarantine');
  const scaler = await story.startScaler({ ...reaping, QUARANTINE: 'on' });
  const pods = await story.readyPods('checkout', 3);
  const [pod] = pods as [RawObject];
  await infect(story, scaler, [pod]);
  await story.until('its labels are gone', async () => (await lost(story, pods)).length === 1);
  await story.readyPods('checkout', 3);
  const kept = await story.get('Pod', pod.metadata.name);
  t.is(kept?.metadata['uid'], pod.metadata['uid']);
  t.is(kept?.metadata['deletionTimestamp'], undefined);
  t.deepEqual(kept?.metadata['labels'], {
    'external-scaler-sysdig/quarantine': 'true',
    'external-scaler-sysdig/quarantined-from': 'deployment.checkout',
  });
});

async function label(story: Case, apiVersion: string, kind: string, name: string): Promise<void> {
  const metadata = { name, namespace: story.namespace, labels: { 'external-scaler-sysdig/paused': 'true' } };
  await story.api.merge({ apiVersion, kind, metadata });
}
