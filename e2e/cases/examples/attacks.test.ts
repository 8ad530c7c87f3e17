import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { replicasSince, targetsOf, untilMeasured } from '#e2e/harness/autoscaler.ts';
import { openExample } from '#e2e/harness/example.ts';

/** A rate over a minute is whole after a minute, and the HPA takes a few syncs to follow. */
const followMs = 180_000;
/** An HPA's sync takes up to 15 s. */
const atOnceMs = 10_000;

test('attack-scale-out: an attack on all replicas, as they come, ends at maxReplicaCount', async (t) => {
  const example = await openExample(t, 'attack-scale-out');
  const { story } = example;
  example.load('payments', 250);
  await example.apply();
  await story.untilReady('payments');
  await story.untilReplicas('payments', 3);
  await untilMeasured(story, 'payments');
  for (const [infected, wanted] of [
    [3, 6],
    [6, 12],
  ] as const) {
    const pods = await story.readyPods('payments', infected);
    const infectedAt = Date.now();
    await example.infect(pods);
    const ms = (await story.untilReplicas('payments', wanted)) - infectedAt;
    t.true(ms < atOnceMs, `expected a surge, got ${ms} ms`);
  }
  await example.infect(await story.readyPods('payments', 12));
  await pause(2 * 15_000);
  t.is(story.replicas.now('payments'), 12);
});

test('attack-outgrow: the first infection takes six replicas to 13, and the infected pod goes', async (t) => {
  // As the example assumes; kwok's pods are Ready at once.
  const example = await openExample(t, 'attack-outgrow', { readyAfter: '20s' });
  const { story } = example;
  await example.apply();
  await story.untilReady('orders');
  const pods = await story.readyPods('orders', 6);
  await untilMeasured(story, 'orders');
  const infectedAt = Date.now();
  await example.infect(pods.slice(0, 1));
  const ms = (await story.untilReplicas('orders', 13)) - infectedAt;
  t.true(ms < atOnceMs, `expected a surge, got ${ms} ms`);
  await story.until('the infected pod is gone', async () => {
    const names = (await story.pods('orders')).map(({ metadata }) => metadata['uid']);
    return !names.includes(pods[0]?.metadata['uid']);
  });
  // All at once: the reaper stops at its floor and its limits, and the replicas at their bound.
  await example.infect(await story.readyPods('orders', 13));
  await story.untilReplicas('orders', 18);
  await pause(2 * 15_000);
  t.is(story.replicas.now('orders'), 18);
});

test('attack-and-load, threshold: four replicas are eight as long as the attack lasts', async (t) => {
  const example = await openExample(t, 'attack-and-load/threshold');
  const { story } = example;
  example.load('search', 390);
  await example.apply();
  await story.untilReplicas('search', 4, followMs);
  await pause(15_000);
  t.is(story.replicas.now('search'), 4);
  t.deepEqual(await targetsOf(story, 'search'), [100]);
  await example.infect((await story.readyPods('search', 4)).slice(0, 1));
  await story.untilReplicas('search', 8, followMs);
  t.deepEqual(await targetsOf(story, 'search'), [50]);
  await example.infect(await story.readyPods('search', 8));
  await pause(2 * 15_000);
  t.is(story.replicas.now('search'), 8);
});

test('attack-and-load, formula: an attack adds five replicas to the four of the load', async (t) => {
  const example = await openExample(t, 'attack-and-load/formula');
  const { story } = example;
  example.load('basket', 390);
  await example.apply();
  await story.untilReplicas('basket', 4, followMs);
  await pause(15_000);
  t.is(story.replicas.now('basket'), 4);
  await example.infect((await story.readyPods('basket', 4)).slice(0, 1));
  await story.untilReplicas('basket', 9, followMs);
  await pause(2 * 15_000);
  t.deepEqual([...new Set(replicasSince(story, 'basket', 0))].at(-1), 9);
});
