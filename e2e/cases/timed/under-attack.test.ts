import test from 'ava';
import { targetsOf, untilMeasured } from '#e2e/harness/autoscaler.ts';
import { openCase } from '#e2e/harness/case.ts';
import { startLiveSysdig } from '#e2e/harness/live-sysdig.ts';
import { eagerScaleDown, scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';

test('an alert lowers the target of the HPA within a second, and a minute of silence brings it back', async (t) => {
  const sysdig = await startLiveSysdig();
  t.teardown(() => sysdig.stop());
  const story = await openCase(t, 'under-attack');
  const scaler = await story.startScaler(sysdig.settings);
  const load = `load{namespace="${story.namespace}"}`;
  await sysdig.set(load, 100);
  const metadata = {
    source: 'sysdig',
    query: `sum(${load})`,
    threshold: '100',
    thresholdUnderAttack: '50',
    attackWindow: '1m',
    cacheTTL: '1s',
  };
  const triggers = [trigger(scaler.grpc, metadata, { type: 'external-push' })];
  await story.apply(workload('checkout'), scaledObject('checkout', { triggers, spec: eagerScaleDown }));
  await untilMeasured(story, 'checkout');
  t.deepEqual(await targetsOf(story, 'checkout'), [100]);
  t.is(story.replicas.now('checkout'), 1);
  const targetIs = (target: number, timeoutMs: number) =>
    story.until(
      `a target of ${target}`,
      async () => (await targetsOf(story, 'checkout'))[0] === target,
      timeoutMs,
    );

  const [pod] = await story.readyPods('checkout', 1);
  const alertedAt = Date.now();
  await story.alert(scaler, String(pod?.metadata.name), { uid: pod?.metadata['uid'] as string });
  await targetIs(50, 10_000);
  const loweredMs = Date.now() - alertedAt;
  story.report('an alert until the target of the HPA is lower', loweredMs);
  // Long before KEDA's next poll could; how long it took is reported.
  t.true(loweredMs < 4_000, `expected at once, got ${loweredMs} ms`);
  const scaledAt = await story.untilReplicas('checkout', 2);
  story.report('an alert until the HPA has made room', scaledAt - alertedAt);

  await targetIs(100, 90_000);
  const backMs = Date.now() - alertedAt;
  story.report('the last alert until the target is back (attackWindow 1m)', backMs);
  // A window of a minute moves in steps of a second.
  t.true(backMs > 59_000 && backMs < 65_000, `expected a minute, got ${backMs} ms`);
  await story.untilReplicas('checkout', 1);
});
