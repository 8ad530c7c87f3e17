import { join } from 'node:path';
import test from 'ava';
import { replicasSince } from '#e2e/harness/autoscaler.ts';
import { openCase } from '#e2e/harness/case.ts';
import { eagerScaleDown, scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';
import { isJournalled, readMetric } from '#e2e/harness/scaler-readings.ts';
import { podName } from '#test/harness/falco-alert.ts';
import { freePort } from '#test/harness/guarded-program.ts';
import { KedaClient } from '#test/harness/keda-client.ts';
import type { ScalerProcess } from '#test/harness/scaler-process.ts';

const infections = { source: 'falco', metric: 'infections', threshold: '1', window: '10m' };

for (const [how, end] of [
  ['ends and starts again', (scaler: ScalerProcess) => scaler.stop()],
  ['is killed and starts again', (scaler: ScalerProcess) => scaler.kill()],
] as const) {
  test(`in the middle of an attack the scaler ${how}: nothing is forgotten, no replica lost, streams come back`, async (t) => {
    const story = await openCase(t, 'restart');
    const settings = {
      GRPC_ADDRESS: `127.0.0.1:${await freePort()}`,
      JOURNAL: `sqlite:${join(story.folder, 'journal.db')}`,
    };
    const first = await story.startScaler(settings);
    const triggers = [trigger(first.grpc, infections, { type: 'external-push' })];
    const spec = eagerScaleDown;
    await story.apply(workload('attacked'), scaledObject('attacked', { triggers, spec }));
    await story.apply(workload('idle', { replicas: 0 }), scaledObject('idle', { triggers, min: 0 }));
    await story.untilReady('attacked');
    await story.untilReady('idle');
    const infect = (scaler: ScalerProcess, from: number, to: number) =>
      Promise.all(
        Array.from({ length: to - from }, (_, n) => story.alert(scaler, podName('attacked', from + n))),
      );
    await infect(first, 0, 4);
    await story.untilReplicas('attacked', 4);
    await story.until('all is on disk', () => isJournalled(first));
    const attackedAt = Date.now();

    await end(first);
    const endedAt = Date.now();
    const second = await story.startScaler(settings);
    t.is(await count(second, story.namespace, 'attacked'), 4, 'the window is intact');
    story.report(`the scaler ${how}: until it answers`, Date.now() - endedAt);
    await story.until(
      'four streams',
      async () => (await readMetric(second, 'external_scaler_open_streams')) >= 4,
      // KEDA's pauses between its tries grow up to a minute.
      120_000,
    );
    story.report(`the scaler ${how}: until KEDA's streams are back`, Date.now() - endedAt);

    const postedAt = Date.now();
    await story.alert(second, podName('idle', 1));
    story.report(
      `the scaler ${how}: then an alert until 0 to 1`,
      (await story.untilReplicas('idle', 1)) - postedAt,
    );
    await infect(second, 4, 6);
    await story.untilReplicas('attacked', 6);
    t.is(await count(second, story.namespace, 'attacked'), 6);
    t.deepEqual(replicasSince(story, 'attacked', attackedAt), [4, 6]);
  });
}

/** What the scaler answers KEDA. */
async function count(scaler: ScalerProcess, namespace: string, name: string): Promise<number | undefined> {
  const client = new KedaClient(scaler.grpc);
  try {
    const ref = { namespace, name, scalerMetadata: infections };
    const [spec] = (await client.getMetricSpec(ref)).metricSpecs;
    const { metricValues } = await client.getMetrics(ref, spec?.metricName ?? '');
    return metricValues[0]?.metricValueFloat;
  } finally {
    client.close();
  }
}
