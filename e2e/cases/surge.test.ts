import test from 'ava';
import { openCase } from '#e2e/harness/case.ts';
import { eagerScaleDown, scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';
import { infect, infections, twoRunning } from '#e2e/harness/surging.ts';
import { KedaClient } from '#test/harness/keda-client.ts';

test('when the window has run empty the HPA scales in by its own rules', async (t) => {
  const story = await openCase(t, 'surge-ends');
  const scaler = await story.startScaler({ SURGE: 'on' });
  await twoRunning(story, scaler, 'checkout', { spec: eagerScaleDown });
  const infectedAt = Date.now();
  await infect(story, scaler, 'checkout', 0, 12);
  await story.untilReplicas('checkout', 12);
  await story.untilReplicas('checkout', 2, 150_000);
  // Not before its alerts have left the window of a minute.
  t.true(Date.now() - infectedAt > 59_000);
});

for (const [what, reason, options, metadata] of [
  ['behavior.scaleUp', /behavior\.scaleUp is set/, { spec: withScaleUp() }],
  ['an unbounded ScaledObject', /maxReplicaCount is not set/, { max: null }],
  ['a paused scale-out', /annotation autoscaling\.keda\.sh\/paused-scale-out/, paused()],
  ['scaling modifiers', /scalingModifiers make the HPA follow a formula/, { spec: withModifiers() }],
  ['a window under a minute', /window: expected at least 1m/, {}, { ...infections, window: '30s' }],
] as const) {
  test(`${what} keeps a surge from happening, and says so`, async (t) => {
    const story = await openCase(t, 'refused');
    const scaler = await story.startScaler({ SURGE: 'on' });
    const triggers = [
      trigger(scaler.grpc, metadata ?? infections, { type: 'external-push', name: 'infections' }),
    ];
    await story.apply(
      workload('checkout', { replicas: 2 }),
      scaledObject('checkout', { triggers, min: 2, max: 50, ...(options as object) }),
    );
    await story.readyPods('checkout', 2);
    await infect(story, scaler, 'checkout', 0, 20);
    await story.until('the reason in an Event', async () =>
      (await story.events('checkout')).some(
        (event) => event.startsWith('SurgeRefused') && reason.test(event),
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    t.false(story.replicas.since('checkout', 0).some(({ replicas }) => replicas === 20));
  });
}

test('a request that claims a surge, or another threshold, moves nothing', async (t) => {
  const story = await openCase(t, 'claimed');
  const scaler = await story.startScaler({ SURGE: 'on' });
  const { surge: _, ...modest } = infections;
  await twoRunning(story, scaler, 'checkout', {}, modest);
  const client = new KedaClient(scaler.grpc);
  t.teardown(() => client.close());
  const claimed = {
    namespace: story.namespace,
    name: 'checkout',
    scalerMetadata: { ...infections, threshold: '0.1' },
  };
  const [spec] = (await client.getMetricSpec(claimed)).metricSpecs;
  await client.getMetrics(claimed, spec?.metricName ?? '');
  await infect(story, scaler, 'checkout', 0, 20);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  t.false(story.replicas.since('checkout', 0).some(({ replicas }) => replicas >= 20));
  t.true(scaler.lines.some((line) => line.includes('the ScaledObject carries no such trigger')));
});

test('a scale that somebody else changes at the same moment is read and decided again', async (t) => {
  const story = await openCase(t, 'conflict');
  const scaler = await story.startScaler({ SURGE: 'on' });
  await twoRunning(story, scaler, 'checkout');
  let writing = true;
  const rival = (async () => {
    for (let n = 0; writing; n++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const metadata = { name: 'checkout', namespace: story.namespace, annotations: { turn: String(n) } };
      await story.api.merge({ apiVersion: 'apps/v1', kind: 'Deployment', metadata });
    }
  })();
  await infect(story, scaler, 'checkout', 0, 20);
  await story.untilReplicas('checkout', 20, 30_000);
  writing = false;
  await rival;
  t.pass();
});

function withScaleUp() {
  const scaleUp = { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] };
  return { advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleUp } } } };
}

function withModifiers() {
  return { advanced: { scalingModifiers: { formula: 'infections + 1', target: '1' } } };
}

function paused() {
  return { annotations: { 'autoscaling.keda.sh/paused-scale-out': 'true' } };
}
