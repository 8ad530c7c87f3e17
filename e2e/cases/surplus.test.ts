import test from 'ava';
import type { RawObject } from '#e2e/control-plane/raw-api.ts';
import { openCase } from '#e2e/harness/case.ts';
import { startLiveSysdig } from '#e2e/harness/live-sysdig.ts';
import { scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';

test('an attack adds to what the load needs, by a formula', async (t) => {
  const sysdig = await startLiveSysdig();
  t.teardown(() => sysdig.stop());
  const story = await openCase(t, 'surplus');
  const scaler = await story.startScaler({
    ...sysdig.settings,
    REAPER: 'on',
    REAPER_RULES: 'Drop and execute new binary in container',
  });
  const series = `load{namespace="${story.namespace}"}`;
  await sysdig.set(series, 30);
  const query = `sum(${series}) / 10`;
  const triggers = [
    trigger(scaler.grpc, { source: 'sysdig', query, threshold: '1', cacheTTL: '1s' }, { name: 'load' }),
    trigger(
      scaler.grpc,
      { source: 'falco', metric: 'requiredReplicas', healthyReplicas: '0', window: '1m' },
      { name: 'surplus', type: 'external-push' },
    ),
  ];
  const optedIn = { 'external-scaler-sysdig/reap': 'true' };
  await story.apply(
    workload('checkout', { replicas: 3, labels: optedIn }),
    scaledObject('checkout', {
      triggers,
      min: 1,
      max: 20,
      spec: { advanced: { scalingModifiers: { formula: 'load + surplus', target: '1' } } },
    }),
  );
  await story.untilReady('checkout');
  const pods = await story.readyPods('checkout', 3);
  // In peace the load alone decides.
  await story.until('the HPA has seen the formula', async () => {
    const hpa = await story.get('HorizontalPodAutoscaler', 'keda-hpa-checkout', 'autoscaling/v2');
    return hpa?.['status']?.currentMetrics?.length > 0;
  });
  t.is(story.replicas.now('checkout'), 3);
  const { metadata, spec } = pods[0] as RawObject;
  await story.alert(scaler, metadata.name, { uid: String(metadata['uid']), host: spec.nodeName });
  const more = await story.until(
    'more than the load needs',
    () => (story.replicas.now('checkout') ?? 0) > 3 && story.replicas.now('checkout'),
    40_000,
  );
  const { triggers: states } = await story.status(scaler);
  const surplus = states.find(({ metricName }: { metricName: string }) => metricName.startsWith('falco-'));
  t.true(surplus.value > 0 && surplus.value <= 5, `the surplus is ${surplus.value}`);
  t.true(more <= 8);
});
