import test from 'ava';
import { replicasSince, untilMeasured } from '#e2e/harness/autoscaler.ts';
import { type Case, openCase } from '#e2e/harness/case.ts';
import { kedaCalls } from '#e2e/harness/keda-calls.ts';
import { type LiveSysdig, startLiveSysdig } from '#e2e/harness/live-sysdig.ts';
import {
  eagerScaleDown,
  type ScaledObjectOptions,
  scaledObject,
  type TriggerOptions,
  trigger,
  workload,
} from '#e2e/harness/manifests.ts';

let sysdig: LiveSysdig;
test.before(async () => {
  sysdig = await startLiveSysdig();
});
test.after.always(() => sysdig?.stop());

/** A case with a scaler, and the load of its workloads in Sysdig. */
async function openLoadCase(t: Parameters<typeof openCase>[0], name: string) {
  const story = await openCase(t, name);
  const scaler = await story.startScaler(sysdig.settings);
  const series = (workload: string) => `load{namespace="${story.namespace}",workload="${workload}"}`;
  return {
    story,
    scaler,
    setLoad: (workload: string, value: number) => sysdig.set(series(workload), value),
    /** A trigger on it. */
    load: (workload: string, threshold: string, options: TriggerOptions = {}, more = {}) =>
      trigger(scaler.grpc, { ...onLoad(series(workload), threshold), ...more }, options),
  };
}

function onLoad(series: string, threshold: string) {
  return { source: 'sysdig', query: `sum(${series})`, threshold, cacheTTL: '1s' };
}

async function scale(story: Case, name: string, options: ScaledObjectOptions, replicas = 1): Promise<void> {
  await story.apply(workload(name, { replicas }), scaledObject(name, options));
  await story.untilReady(name);
}

for (const [what, value, threshold, max, wanted] of [
  ['its target gives one replica', 10, '10', 10, 1],
  ['twice its target gives two', 20, '10', 10, 2],
  ['a fraction above three times a fractional target gives four', 22.222, '6.111', 10, 4],
  ['it never gives more than maxReplicaCount', 22.222, '6.111', 3, 3],
  ['a target below one divides as well', 0.7, '0.25', 10, 3],
] as const) {
  test(`of a value: ${what}`, async (t) => {
    const { story, setLoad, load } = await openLoadCase(t, 'value');
    await setLoad('checkout', value);
    await scale(story, 'checkout', { triggers: [load('checkout', threshold)], max });
    await untilMeasured(story, 'checkout');
    await story.untilReplicas('checkout', wanted);
    t.deepEqual(replicasSince(story, 'checkout', 0), wanted === 1 ? [1] : [1, wanted]);
  });
}

test('a workload follows its load up and down', async (t) => {
  const { story, setLoad, load } = await openLoadCase(t, 'follows');
  await setLoad('checkout', 10);
  await scale(story, 'checkout', { triggers: [load('checkout', '10')], spec: eagerScaleDown });
  await untilMeasured(story, 'checkout');
  const risenAt = Date.now();
  await setLoad('checkout', 20);
  story.report(
    'a doubled value until spec.replicas goes from 1 to 2',
    (await story.untilReplicas('checkout', 2)) - risenAt,
  );
  await setLoad('checkout', 10);
  await story.untilReplicas('checkout', 1);
  t.deepEqual(replicasSince(story, 'checkout', 0), [1, 2, 1]);
});

test('a workload without load goes to 0 after the cooldown, and comes back with the load', async (t) => {
  const { story, setLoad, load } = await openLoadCase(t, 'idle');
  await setLoad('checkout', 10);
  await scale(story, 'checkout', { triggers: [load('checkout', '10')], min: 0 });
  await untilMeasured(story, 'checkout');
  const fallenAt = Date.now();
  await setLoad('checkout', 0);
  const idleAt = await story.untilReplicas('checkout', 0);
  story.report('value 0 until spec.replicas is 0 (cooldownPeriod 5)', idleAt - fallenAt);
  const risenAt = Date.now();
  await setLoad('checkout', 10);
  story.report(
    'a value above 0 until spec.replicas goes from 0 to 1 (polled every 5 s)',
    (await story.untilReplicas('checkout', 1)) - risenAt,
  );
  t.deepEqual(replicasSince(story, 'checkout', 0), [1, 0, 1]);
});

test('two triggers may ask for the same metric, and the one that needs more decides', async (t) => {
  const { story, setLoad, load } = await openLoadCase(t, 'twice');
  await setLoad('checkout', 20);
  const triggers = [load('checkout', '10'), load('checkout', '5')];
  await scale(story, 'checkout', { triggers });
  await untilMeasured(story, 'checkout');
  await story.untilReplicas('checkout', 4);
  t.deepEqual(replicasSince(story, 'checkout', 0), [1, 4]);
});

test('with metricType Value the replicas are multiplied until the value is at its target', async (t) => {
  const { story, setLoad, load } = await openLoadCase(t, 'ratio');
  await setLoad('checkout', 15);
  await scale(story, 'checkout', { triggers: [load('checkout', '10', { metricType: 'Value' })] });
  await story.untilReplicas('checkout', 2);
  await setLoad('checkout', 20);
  await story.untilReplicas('checkout', 4);
  t.deepEqual(replicasSince(story, 'checkout', 0), [1, 2, 4]);
});

test('a metric of a workload is read by its name, summed over its pods', async (t) => {
  const { story, scaler } = await openLoadCase(t, 'named');
  const { namespace } = story;
  const heapOf = (workload: string, pod: string) =>
    `jvm_heap_used{kube_cluster_name="e2e",kube_namespace_name="${namespace}",kube_workload_type="deployment",kube_workload_name="${workload}",kube_pod_name="${pod}"}`;
  await sysdig.set(heapOf('cart', 'cart-1'), 120);
  await sysdig.set(heapOf('cart', 'cart-2'), 90);
  await sysdig.set(heapOf('other', 'other-1'), 5_000);
  const metadata = { source: 'sysdig', metricName: 'jvm.heap.used', threshold: '70', cacheTTL: '1s' };
  await scale(story, 'cart', { triggers: [trigger(scaler.grpc, metadata)] });
  await untilMeasured(story, 'cart');
  await story.untilReplicas('cart', 3);
  t.deepEqual(replicasSince(story, 'cart', 0), [1, 3]);
});

test('a ScaledJob runs a job for each target’s worth', async (t) => {
  const { story, setLoad, load } = await openLoadCase(t, 'jobs');
  await setLoad('work', 30);
  await story.apply(scaledJob('work', [load('work', '10')]));
  const jobs = () => story.api.list('batch/v1', 'Job', story.namespace);
  await story.until('3 jobs', async () => (await jobs()).length === 3);
  const calls = await polls(story);
  await story.until('three more polls', async () => (await polls(story)) >= calls + 3);
  t.is((await jobs()).length, 3, 'those that run count');
});

test('a typo in one trigger stands in an Event, and the other trigger keeps scaling', async (t) => {
  const { story, setLoad, load } = await openLoadCase(t, 'typo');
  await setLoad('checkout', 20);
  const wrong = load('checkout', '10', {}, { threshhold: '10' });
  await scale(story, 'checkout', { triggers: [load('checkout', '10'), wrong] });
  const events = await story.until('the words in an Event', async () => {
    const told = (await story.events('checkout')).filter((event) => event.includes('threshhold'));
    return told.length > 0 && told;
  });
  t.regex(events.join('\n'), /threshhold: unknown key; did you mean threshold\?/);
  await story.untilReplicas('checkout', 2);
  await setLoad('checkout', 40);
  await story.untilReplicas('checkout', 4);
  t.deepEqual(replicasSince(story, 'checkout', 0), [1, 2, 4]);
});

test('a formula over two triggers decides by its sum', async (t) => {
  const { story, setLoad, load } = await openLoadCase(t, 'formula');
  await setLoad('checkout', 20);
  await setLoad('surplus', 15);
  const triggers = [load('checkout', '10', { name: 'load' }), load('surplus', '10', { name: 'surplus' })];
  const formula = { formula: 'load + surplus', target: '10' };
  await scale(story, 'checkout', { triggers, spec: { advanced: { scalingModifiers: formula } } });
  await story.untilReplicas('checkout', 4);
  t.deepEqual(replicasSince(story, 'checkout', 0), [1, 4]);
});

/** How often the trigger has been polled. */
async function polls(story: Case): Promise<number> {
  return (await kedaCalls(story.kedaMetrics, story.namespace))['IsActive OK'] ?? 0;
}

function scaledJob(name: string, triggers: readonly object[]) {
  const container = { name: 'job', image: 'job' };
  const template = { spec: { restartPolicy: 'Never', containers: [container] } };
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledJob',
    metadata: { name },
    spec: { jobTargetRef: { template }, pollingInterval: 3, maxReplicaCount: 10, triggers },
  };
}
