import test from 'ava';
import { openCase } from '#e2e/harness/case.ts';
import { scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';
import { Policies, refusalOf } from '#e2e/harness/policies.ts';

const apiVersion = 'keda.sh/v1alpha1';
const nothing = { source: 'sysdig', query: 'sum(up)', threshold: '0' };
const text = 'threshold: expected a number of at least 0.001, got "0"';

function scaling(name: string, metadata: Readonly<Record<string, string>> = nothing) {
  return scaledObject(name, { triggers: [trigger('external-scaler-sysdig.keda.svc:6000', metadata)] });
}

test('nothing is judged until its namespace is labelled', async (t) => {
  const story = await openCase(t, 'policy-switch');
  const policies = new Policies(story);
  await policies.install(t, ['triggers']);
  t.deepEqual(await policies.judge(scaling('new')), { refusal: undefined, warning: undefined });

  await policies.switchTo('warn');
  const warning = await story.until('a warning', async () => (await policies.judge(scaling('new'))).warning);
  t.true(warning.includes(JSON.stringify(text).slice(1, -1)));
  t.is((await policies.judge(scaling('new'))).refusal, undefined);

  await policies.enforce(scaling('new'));
  t.deepEqual(await policies.judge(scaling('new')), { refusal: text, warning: undefined });

  await story.api.delete('v1', 'ConfigMap', story.home, 'external-scaler-sysdig-policies');
  const good = scaling('new', { ...nothing, threshold: '1' });
  await story.until('without parameters nothing passes', async () =>
    (await policies.judge(good)).refusal?.includes('no params found'),
  );
  await policies.switchTo('warn');
  await story.until(
    'without parameters nothing is warned of',
    async () => (await policies.judge(good)).refusal === undefined,
  );
});

test('a ScaledObject that is older than the policy is judged when its spec changes', async (t) => {
  const story = await openCase(t, 'policy-older');
  const policies = new Policies(story);
  const older = { apiVersion, kind: 'ScaledObject' };
  const metadata = { name: 'older', namespace: story.namespace };
  await policies.install(t, ['triggers']);
  await story.apply(workload('older'), scaling('older'));
  await story.until('KEDA has put its finalizer on', async () => {
    const found = await story.get('ScaledObject', 'older', apiVersion);
    return (found?.metadata['finalizers'] as string[] | undefined)?.length === 1;
  });
  await policies.enforce(scaling('new'));
  await story.api.merge({ ...older, metadata: { ...metadata, annotations: { note: 'x' } } });
  t.is(await refusalOf(story.api.merge({ ...older, metadata, spec: { pollingInterval: 7 } })), text);
  // KEDA must take its finalizer off.
  await story.api.delete(apiVersion, 'ScaledObject', story.namespace, 'older');
  await story.until(
    'it is gone',
    async () => (await story.get('ScaledObject', 'older', apiVersion)) === undefined,
  );
});

test('a workload that is older than the policy is scaled, and its pods come back', async (t) => {
  const story = await openCase(t, 'policy-pods');
  const policies = new Policies(story);
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment' };
  const metadata = { name: 'older', namespace: story.namespace };
  await policies.install(t, ['images'], { [`registries.${story.namespace}`]: 'ghcr.io/acme' });
  await story.apply(workload('older'));
  const [first] = await story.readyPods('older', 1);
  await policies.enforce(workload('new'));
  await story.api.merge({ ...deployment, metadata: { ...metadata, labels: { note: 'x' } } });
  await story.api.merge({ ...deployment, metadata, spec: { replicas: 2 } });
  await story.api.delete('v1', 'Pod', story.namespace, first?.metadata.name ?? '');
  const [pod] = await story.until('two others run', async () => {
    const pods = await story.readyPods('older', 2);
    return pods.every(({ metadata: { name } }) => name !== first?.metadata.name) && pods;
  });

  // A container for debugging is judged alone: the pod's own image would be refused.
  const debug = (image: string) => {
    const spec = { ephemeralContainers: [{ name: 'debug', image }] };
    const of = { name: pod?.metadata.name ?? '', namespace: story.namespace };
    return refusalOf(
      story.api.merge({ apiVersion: 'v1', kind: 'Pod', metadata: of, spec }, '/ephemeralcontainers'),
    );
  };
  t.regex((await debug('busybox')) ?? '', /got docker\.io\/library\/busybox;/);
  t.is(await debug('ghcr.io/acme/busybox'), undefined);

  const use = (image: string) => {
    const template = { spec: { containers: [{ name: 'app', image }] } };
    return refusalOf(story.api.merge({ ...deployment, metadata, spec: { template } }));
  };
  t.regex((await use('other')) ?? '', /got docker\.io\/library\/other;/);
  t.is(await use('ghcr.io/acme/app'), undefined);
});
