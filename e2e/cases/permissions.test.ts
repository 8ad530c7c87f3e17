import test from 'ava';
import { openCase } from '#e2e/harness/case.ts';
import { scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';

const acting = { SURGE: 'on', REAPER: 'on', REAPER_RULES: 'Drop and execute new binary in container' };
const push = { source: 'falco', metric: 'infections', threshold: '1', window: '1m' };

test('without any permission every feature is off, says so, and the rest works', async (t) => {
  const story = await openCase(t, 'no-rights');
  await story.install({ rbac: { create: false } });
  const scaler = await story.startScaler(acting);
  const off = scaler.lines.filter((line) => line.includes('is off: a permission is missing'));
  t.deepEqual(
    off.map((line) => JSON.parse(line).feature),
    ['targets', 'workloads', 'events', 'surge', 'reaper'],
  );
  t.true(off.some((line) => line.includes('list scaledobjects.keda.sh')));
  await story.apply(
    workload('checkout', { replicas: 0 }),
    scaledObject('checkout', { min: 0, triggers: [trigger(scaler.grpc, push, { type: 'external-push' })] }),
  );
  await story.untilReady('checkout');
  await story.alert(scaler, 'checkout-7d9f8b6c5d-x2x4z');
  await story.untilReplicas('checkout', 1);
});

test('a missing permission switches off what needs it, and nothing else', async (t) => {
  const story = await openCase(t, 'few-rights');
  await story.install({ reaper: { mode: 'off' }, quarantine: { mode: 'off' } });
  const scaler = await story.startScaler(acting);
  const line = scaler.lines.find((one) => one.includes('is off: a permission is missing')) ?? '';
  t.like(JSON.parse(line), { feature: 'reaper' });
  t.true(line.includes('create pods/eviction'));
  t.deepEqual((await story.status(scaler))['cluster'].features, ['targets', 'workloads', 'events', 'surge']);
});

test('1,000 alerts about 100 pods cost the API server a few requests a pod', async (t) => {
  const story = await openCase(t, 'requests');
  const scaler = await story.startScaler();
  await story.apply(workload('checkout', { replicas: 100 }));
  const pods = await story.readyPods('checkout', 100);
  const requests = async () => {
    const text = await (await fetch(`${scaler.operations}/metrics`)).text();
    return [...text.matchAll(/^external_scaler_kubernetes_requests_total\{.*\} (\d+)$/gm)]
      .map(([, count]) => Number(count))
      .reduce((sum, count) => sum + count, 0);
  };
  const before = await requests();
  for (let turn = 0; turn < 10; turn++) {
    await Promise.all(pods.map(({ metadata }) => story.alert(scaler, metadata.name)));
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const cost = (await requests()) - before;
  story.report('requests to the API server for 1,000 alerts about 100 pods', cost, 'requests');
  t.true(cost >= 100 && cost <= 150, `${cost} requests`);
});

test('a KUBECONFIG that leads nowhere does not keep the scaler from starting', async (t) => {
  const story = await openCase(t, 'nowhere');
  const away = `${story.folder}/away.kubeconfig`;
  await story.writeKubeconfig(away, 'https://127.0.0.1:1');
  const scaler = await story.startScaler({ KUBECONFIG: away });
  t.is((await fetch(`${scaler.operations}/readyz`)).status, 200);
  t.true(scaler.lines.some((line) => line.includes('cannot ask which permissions there are')));
});
