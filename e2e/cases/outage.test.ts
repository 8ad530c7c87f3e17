import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { replicasSince, untilMeasured } from '#e2e/harness/autoscaler.ts';
import { openCase } from '#e2e/harness/case.ts';
import { startLiveSysdig } from '#e2e/harness/live-sysdig.ts';
import { eagerScaleDown, scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';

/** Each way of being down for 40 s: two minutes in all, eight syncs of the HPA. */
const ways = ['unavailable', 'hanging', 'not json'] as const;
const eachMs = 40_000;

const fallback = { failureThreshold: 3, replicas: 6, behavior: 'currentReplicasIfHigher' };

test('while Sysdig is down for two minutes no workload loses a replica, and then each has what its value asks for', async (t) => {
  const sysdig = await startLiveSysdig();
  t.teardown(() => sysdig.stop());
  const story = await openCase(t, 'outage');
  const scaler = await story.startScaler(sysdig.settings);
  const series = (name: string) => `load{namespace="${story.namespace}",workload="${name}"}`;
  /** Runs as many replicas as its value asks for. */
  const run = async (name: string, replicas: number, { spec = {}, metadata = {} }) => {
    await sysdig.set(series(name), replicas * 10);
    const query = { source: 'sysdig', query: `sum(${series(name)})`, threshold: '10', cacheTTL: '1s' };
    const triggers = [trigger(scaler.grpc, { ...query, ...metadata })];
    await story.apply(
      workload(name, { replicas }),
      scaledObject(name, { triggers, spec: { ...eagerScaleDown, ...spec } }),
    );
  };
  await run('alone', 4, {});
  await run('lifted', 4, { spec: { fallback } });
  await run('above', 8, { spec: { fallback } });
  await run('bridged', 4, { metadata: { onError: 'lastValue' } });
  const names = ['alone', 'lifted', 'above', 'bridged'];
  for (const name of names) await untilMeasured(story, name);

  const downAt = Date.now();
  for (const way of ways) {
    sysdig.door = way;
    await pause(eachMs);
  }
  const during = Object.fromEntries(names.map((name) => [name, replicasSince(story, name, downAt)]));
  t.deepEqual(during, { alone: [4], lifted: [4, 6], above: [8], bridged: [4] });
  const events = (await story.events('alone')).join('\n');
  t.regex(events, /Sysdig/, 'the words of the outage stand on the ScaledObject');
  t.false((await story.events('bridged')).some((event) => event.includes('Failed')));

  for (const name of names) await sysdig.set(series(name), 30);
  const upAt = Date.now();
  sysdig.door = 'open';
  for (const name of names) await story.untilReplicas(name, 3, 120_000);
  story.report('Sysdig back until every workload has its replicas', Date.now() - upAt);
  const after = Object.fromEntries(names.map((name) => [name, replicasSince(story, name, upAt)]));
  t.deepEqual(after, { alone: [4, 3], lifted: [6, 3], above: [8, 3], bridged: [4, 3] });
});
