import test from 'ava';
import { openCase } from '#e2e/harness/case.ts';
import { scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';

const rounds = 5;

test('an alert scales a workload from 0 to 1 at once', async (t) => {
  const story = await openCase(t, 'push');
  const scaler = await story.startScaler();
  const names = Array.from({ length: rounds }, (_, round) => `checkout-${'abcde'[round]}`);
  const metadata = { source: 'falco', metric: 'infections', threshold: '1', window: '1m' };
  for (const name of names) {
    await story.apply(
      workload(name, { replicas: 0 }),
      scaledObject(name, { min: 0, triggers: [trigger(scaler.grpc, metadata, { type: 'external-push' })] }),
    );
  }
  for (const name of names) await story.untilReady(name);
  for (const name of names) {
    t.is(story.replicas.now(name), 0);
    const postedAt = Date.now();
    await story.alert(scaler, `${name}-7d9f8b6c5d-x2x4z`);
    story.report(
      'POST of an alert until spec.replicas goes from 0 to 1',
      (await story.untilReplicas(name, 1)) - postedAt,
    );
  }
});
