import test from 'ava';
import { type Case, openCase } from '#e2e/harness/case.ts';
import { type ScaledObjectOptions, scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';
import { KedaClient } from '#test/harness/keda-client.ts';
import type { ScalerProcess } from '#test/harness/scaler-process.ts';

const infections = { source: 'falco', metric: 'infections', threshold: '1', window: '1m', surge: 'true' };
const syncMs = 15_000;

/** A workload of two, scaled on infections alone. */
async function twoRunning(
  story: Case,
  scaler: ScalerProcess,
  name: string,
  options: Partial<ScaledObjectOptions> = {},
  metadata: Readonly<Record<string, string>> = infections,
): Promise<void> {
  const triggers = [trigger(scaler.grpc, metadata, { type: 'external-push' })];
  await story.apply(
    workload(name, { replicas: 2 }),
    scaledObject(name, { triggers, min: 2, max: 50, ...options }),
  );
  await story.untilReady(name);
  await story.readyPods(name, 2);
  // The HPA counts from its first sync on.
  await story.until('the HPA has seen the value', async () => {
    const hpa = await story.get('HorizontalPodAutoscaler', `keda-hpa-${name}`, 'autoscaling/v2');
    return hpa?.['status']?.currentMetrics?.length > 0;
  });
}

/** So many pods that were infected, and are gone. */
async function infect(
  story: Case,
  scaler: ScalerProcess,
  name: string,
  from: number,
  to: number,
): Promise<void> {
  const letters = 'bcdfghjklm';
  const suffix = (n: number) => `x2x${letters[Math.floor(n / 10) % 10]}${letters[n % 10]}`;
  await Promise.all(
    Array.from({ length: to - from }, (_, n) =>
      story.alert(scaler, `${name}-7d9f8b6c5d-${suffix(from + n)}`),
    ),
  );
}

test('two replicas that need 20 are 20 at once, and the HPA agrees for three syncs', async (t) => {
  const story = await openCase(t, 'surge');
  const scaler = await story.startScaler({ SURGE: 'on' });
  await twoRunning(story, scaler, 'checkout');
  const postedAt = Date.now();
  await infect(story, scaler, 'checkout', 0, 20);
  const ms = (await story.untilReplicas('checkout', 20)) - postedAt;
  story.report('2 to 20 replicas with surge', ms);
  t.true(ms < 500, `expected under 500 ms, got ${ms}`);
  const events = await story.until('an Event of it', async () => {
    const found = (await story.events('checkout')).filter((event) => event.startsWith('Surged'));
    return found.length > 0 && found;
  });
  t.regex(
    events.join('\n'),
    /Surged: infections is 20 at a target of 1: deployment checkout goes from 2 to 20 replicas/,
  );
  await new Promise((resolve) => setTimeout(resolve, 3 * syncMs));
  t.deepEqual(
    story.replicas.since('checkout', postedAt).map(({ replicas }) => replicas),
    [2, 20],
  );
  // 60 more: never above maxReplicaCount.
  await infect(story, scaler, 'checkout', 20, 80);
  await story.untilReplicas('checkout', 50);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  t.true(story.replicas.since('checkout', postedAt).every(({ replicas }) => replicas <= 50));
});

test('without surge the same takes the HPA several syncs', async (t) => {
  const story = await openCase(t, 'no-surge');
  const scaler = await story.startScaler();
  await twoRunning(story, scaler, 'checkout');
  const postedAt = Date.now();
  await infect(story, scaler, 'checkout', 0, 20);
  const ms = (await story.untilReplicas('checkout', 20)) - postedAt;
  story.report('2 to 20 replicas without surge', ms);
  const steps = story.replicas.since('checkout', postedAt).map(({ replicas }) => replicas);
  t.true(steps.length > 2, `expected several steps, got ${steps.join(', ')}`);
  const events = (await story.events('checkout')).join('\n');
  t.regex(events, /SurgeRefused: surge: "true" does nothing: surge is off where the scaler runs/);
});

test('when the window has run empty the HPA scales in by its own rules', async (t) => {
  const story = await openCase(t, 'surge-ends');
  const scaler = await story.startScaler({ SURGE: 'on' });
  const eager = {
    advanced: {
      horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } },
    },
  };
  await twoRunning(story, scaler, 'checkout', { spec: eager });
  await infect(story, scaler, 'checkout', 0, 12);
  await story.untilReplicas('checkout', 12);
  const surgedAt = Date.now();
  await story.untilReplicas('checkout', 2, 150_000);
  // Not before its alerts have left the window of a minute.
  t.true(Date.now() - surgedAt > 55_000);
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
      await new Promise((resolve) => setTimeout(resolve, 10));
      const metadata = { name: 'checkout', namespace: story.namespace, annotations: { turn: String(n) } };
      await story.api.merge({ apiVersion: 'apps/v1', kind: 'Deployment', metadata });
    }
  })();
  await infect(story, scaler, 'checkout', 0, 20);
  await story.untilReplicas('checkout', 20, 10_000);
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
