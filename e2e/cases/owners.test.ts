import test from 'ava';
import type { RawObject } from '#e2e/control-plane/raw-api.ts';
import { type Case, openCase } from '#e2e/harness/case.ts';
import { scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';
import { KedaClient } from '#test/harness/keda-client.ts';
import type { ScalerProcess } from '#test/harness/scaler-process.ts';

const infected = { source: 'falco', metric: 'infectedPods', threshold: '1', window: '2m' };

/** What the scaler answers to a trigger of this ScaledObject, or the text of its refusal. */
async function ask(scaler: ScalerProcess, namespace: string, name: string, metadata: Record<string, string>) {
  const client = new KedaClient(scaler.grpc);
  try {
    const ref = { namespace, name, scalerMetadata: metadata };
    const [spec] = (await client.getMetricSpec(ref)).metricSpecs;
    const { metricValues } = await client.getMetrics(ref, spec?.metricName ?? '');
    return metricValues[0]?.metricValueFloat;
  } catch (error) {
    return (error as { details: string }).details;
  } finally {
    client.close();
  }
}

async function untilAnswered(
  story: Case,
  scaler: ScalerProcess,
  name: string,
  metadata: Record<string, string>,
  wanted: number,
) {
  let last: unknown;
  await story
    .until(
      `${name} answers ${wanted}`,
      async () => {
        last = await ask(scaler, story.namespace, name, metadata);
        return last === wanted;
      },
      15_000,
    )
    .catch((error: Error) => {
      throw new Error(`${error.message}; it answers ${last}`);
    });
}

test('a trigger follows what its ScaledObject scales, and an infected pod counts until it ends', async (t) => {
  const story = await openCase(t, 'follows');
  const scaler = await story.startScaler();
  t.regex(
    String(await ask(scaler, story.namespace, 'scales-checkout', infected)),
    /is not known: the API server has shown no such ScaledObject/,
  );
  // Not named like what it scales.
  await story.apply(
    workload('checkout', { replicas: 3 }),
    workload('cart', { replicas: 1 }),
    scaledObject('scales-checkout', {
      target: { name: 'checkout' },
      triggers: [trigger(scaler.grpc, infected)],
      min: 3,
    }),
  );
  const [first, second] = (await story.readyPods('checkout', 3)) as [RawObject, RawObject];
  await untilAnswered(story, scaler, 'scales-checkout', infected, 0);
  for (const { metadata } of [first, second]) await story.alert(scaler, metadata.name);
  await untilAnswered(story, scaler, 'scales-checkout', infected, 2);
  await story.api.delete('v1', 'Pod', story.namespace, first.metadata.name);
  await untilAnswered(story, scaler, 'scales-checkout', infected, 1);
  t.is(await ask(scaler, story.namespace, 'scales-checkout', { ...infected, metric: 'infections' }), 2);
  // Another target, another number.
  await story.apply(
    scaledObject('scales-checkout', {
      target: { name: 'cart' },
      triggers: [trigger(scaler.grpc, infected)],
      min: 1,
    }),
  );
  await untilAnswered(story, scaler, 'scales-checkout', infected, 0);
});

test('pods belong to all that is above them, whatever they are called', async (t) => {
  const story = await openCase(t, 'owners');
  const scaler = await story.startScaler();
  const template = (app: string, restartPolicy = 'Always') => ({
    metadata: { labels: { app } },
    spec: { restartPolicy, containers: [{ name: 'app', image: 'app' }] },
  });
  const selector = (app: string) => ({ matchLabels: { app } });
  await story.apply(
    workload('db', { kind: 'StatefulSet' }),
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent' },
      spec: { selector: selector('agent'), template: template('agent') },
    },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'backup' },
      spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: template('backup', 'Never') } } },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'lonely', labels: { app: 'lonely' } },
      spec: template('').spec,
    },
  );
  const cronJob = await story.get('CronJob', 'backup', 'batch/v1');
  await story.apply({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'backup-by-hand',
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          name: 'backup',
          uid: cronJob?.metadata['uid'],
          controller: true,
        },
      ],
    },
    spec: { template: template('backup', 'Never') },
  });
  const infections = { ...infected, metric: 'infections' };
  for (const [app, owners, others] of [
    ['db', ['statefulset/db', 'db'], ['deployment/db']],
    ['agent', ['daemonset/agent'], ['deployment/agent']],
    ['backup', ['job/backup-by-hand', 'cronjob/backup'], ['cronjob/backup-by-hand']],
    ['lonely', ['pod/lonely'], ['deployment/lonely']],
  ] as const) {
    const [pod] = (await story.readyPods(app, 1)) as [RawObject];
    await story.alert(scaler, pod.metadata.name);
    for (const owner of owners) {
      await untilAnswered(story, scaler, 'any', { ...infections, workload: owner }, 1);
    }
    for (const other of others)
      t.is(await ask(scaler, story.namespace, 'any', { ...infections, workload: other }), 0);
  }
});

test('a Rollout, or anything else with a scale, is followed and surges like a Deployment', async (t) => {
  const story = await openCase(t, 'rollout');
  await story.api.apply([rolloutKind()]);
  const scaler = await story.startScaler({ SURGE: 'on' });
  await story.until('Rollouts are served', () =>
    story.api.list('argoproj.io/v1alpha1', 'Rollout', story.namespace).then(
      () => true,
      () => false,
    ),
  );
  const labels = { app: 'checkout' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app' }] } };
  await story.apply({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name: 'checkout' },
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  });
  const rollout = () => story.get('Rollout', 'checkout', 'argoproj.io/v1alpha1');
  // What its controller would do.
  await story.apply({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: 'checkout-by-rollout',
      ownerReferences: [
        {
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'Rollout',
          name: 'checkout',
          uid: (await rollout())?.metadata['uid'],
          controller: true,
        },
      ],
    },
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  });
  const metadata = { source: 'falco', metric: 'infections', threshold: '0.25', window: '1m', surge: 'true' };
  await story.apply(
    scaledObject('any', {
      target: { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name: 'checkout' },
      triggers: [trigger(scaler.grpc, metadata, { type: 'external-push' })],
      min: 2,
    }),
  );
  const pods = await story.readyPods('checkout', 2);
  for (const pod of pods) await story.alert(scaler, pod.metadata.name);
  await story.until('the Rollout has 8 replicas', async () => (await rollout())?.['spec'].replicas === 8);
  t.truthy(
    await story.until('the surge is told', () => scaler.lines.find((line) => line.includes('"surged"'))),
  );
});

/** Argo's kind, as far as a scaler sees it. */
function rolloutKind() {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'rollouts.argoproj.io' },
    spec: {
      group: 'argoproj.io',
      scope: 'Namespaced',
      names: { kind: 'Rollout', plural: 'rollouts', singular: 'rollout', listKind: 'RolloutList' },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          schema,
          subresources: {
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
        },
      ],
    },
  };
}
