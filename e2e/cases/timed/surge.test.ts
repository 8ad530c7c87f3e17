import test from 'ava';
import { openCase } from '#e2e/harness/case.ts';
import { infect, twoRunning } from '#e2e/harness/surging.ts';

const syncMs = 15_000;

test('two replicas that need 20 are 20 at once, and the HPA agrees for three syncs', async (t) => {
  const story = await openCase(t, 'surge');
  const scaler = await story.startScaler({ SURGE: 'on' });
  await twoRunning(story, scaler, 'checkout');
  const postedAt = Date.now();
  await infect(story, scaler, 'checkout', 0, 20);
  const ms = (await story.untilReplicas('checkout', 20)) - postedAt;
  story.report('2 to 20 replicas with surge', ms);
  // Long before the HPA's next sync could; how long it took is reported.
  t.true(ms < 5_000, `expected one jump at once, got ${ms} ms`);
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
