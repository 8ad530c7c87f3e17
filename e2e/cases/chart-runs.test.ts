import test from 'ava';
import { openCase } from '#e2e/harness/case.ts';
import { chart, helm, release } from '#e2e/harness/helm.ts';
import { installChart } from '#e2e/harness/installed-chart.ts';
import { startLiveSysdig } from '#e2e/harness/live-sysdig.ts';
import { scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';
import { startNameServer } from '#e2e/harness/name-server.ts';
import { probe } from '#e2e/harness/probes.ts';

const token = 'falco-token';
const infections = { source: 'falco', metric: 'infections', threshold: '1', window: '10m' };
const ingest = { credentials: { falco: { existingSecret: 'falco-ingest' } } };
const secrets = { 'falco-ingest': { token } };

test('installed beside KEDA, it scales on Sysdig and on an attack, with every feature on', async (t) => {
  const story = await openCase(t, 'chart');
  const sysdig = await startLiveSysdig();
  t.teardown(() => sysdig.stop());
  const load = `load{kube_cluster_name="e2e",kube_namespace_name="${story.namespace}"}`;
  await sysdig.set(load, 30);
  const installed = await installChart(
    story,
    {
      ...sysdig.values,
      ingest,
      clusterName: 'e2e',
      surge: { mode: 'on' },
      reaper: { mode: 'on', rules: ['Drop and execute new binary in container'] },
    },
    { ...sysdig.secrets, ...secrets },
  );
  const scaler = await installed.start();
  t.deepEqual((await story.status(scaler))['cluster'].features, [
    'targets',
    'workloads',
    'events',
    'surge',
    'reaper',
  ]);
  const { containers } = (await installed.workload())['spec'].template.spec;
  const [{ startupProbe, readinessProbe, livenessProbe, ports }] = containers;
  const [host = ''] = scaler.grpc.split(':');
  for (const each of [startupProbe, readinessProbe, livenessProbe]) t.true(await probe(each, host, ports));

  await story.apply(
    workload('checkout'),
    scaledObject('checkout', {
      triggers: [
        trigger(scaler.grpc, { source: 'sysdig', query: `sum(${load})`, threshold: '10' }),
        trigger(scaler.grpc, { ...infections, surge: 'true' }, { type: 'external-push' }),
      ],
    }),
  );
  await story.untilReplicas('checkout', 3);
  const pods = await story.readyPods('checkout', 3);
  t.is((await fetch(`${scaler.ingest}/ingest/falco`, { method: 'POST', body: '{}' })).status, 401);
  for (let round = 0; round < 2; round++) {
    for (const { metadata } of pods) {
      await story.alert(scaler, `${metadata.name}${'x'.repeat(round)}`, { token });
    }
  }
  await story.until('the attack is counted', async () => {
    const { triggers } = await story.status(scaler);
    return triggers.some(
      ({ source, active }: { source: string; active: boolean }) => source === 'falco' && active,
    );
  });
  t.is(await scaler.stop(), 0);
});

test('an upgrade keeps what was seen, and a removal keeps the volume', async (t) => {
  const story = await openCase(t, 'chart-upgrade');
  const installed = await installChart(story, { ingest }, secrets);
  const pod = `${release}-0`;
  const podNow = () => story.api.get('v1', 'Pod', story.home, pod);
  const before = await story.until('the pod is Ready', async () => {
    const found = await podNow();
    return found?.['status']?.phase === 'Running' && found;
  });
  const claim = await story.api.get('v1', 'PersistentVolumeClaim', story.home, `${release}-journal`);

  const first = await installed.start();
  await story.apply(
    workload('checkout'),
    scaledObject('checkout', { triggers: [trigger(first.grpc, infections)] }),
  );
  for (const { metadata } of await story.readyPods('checkout', 1)) {
    await story.alert(first, metadata.name, { token });
  }
  await story.alert(first, 'checkout-7d9f8b6c5d-x2x4z', { token });
  await story.untilReplicas('checkout', 2);
  await first.stop();

  await installed.upgrade({ journal: { retention: '48h' } });
  await story.until('the pod is a new one', async () => {
    const now = await podNow();
    return now !== undefined && now.metadata['uid'] !== before.metadata['uid'];
  });
  t.is(
    (await story.api.get('v1', 'PersistentVolumeClaim', story.home, `${release}-journal`))?.metadata['uid'],
    claim?.metadata['uid'],
  );
  const second = await installed.start();
  await story.until('KEDA hears the same number again', async () => {
    const { triggers } = await story.status(second);
    return triggers[0]?.value === 2;
  });
  t.is(story.replicas.now('checkout'), 2);

  await helm(['uninstall', release, '--namespace', story.home]);
  t.truthy(await story.api.get('v1', 'PersistentVolumeClaim', story.home, `${release}-journal`));
  t.is(await story.api.get('v1', 'ConfigMap', story.home, `${release}-configuration`), undefined);
});

test('with certificates of its own KEDA calls over mTLS by the name of the Service, and an upgrade keeps them', async (t) => {
  const story = await openCase(t, 'chart-tls');
  // KEDA takes a ClusterTriggerAuthentication's Secrets from its own namespace.
  const name = story.namespace;
  const values = {
    fullnameOverride: name,
    certificates: { autoGenerated: true, mutual: true },
    grpc: { allowedNames: ['keda-operator'] },
    ingest,
  };
  const installed = await installChart(story, values, secrets, 'keda');
  t.teardown(() => helm(['uninstall', name, '--namespace', 'keda']).then(() => {}));
  const [kept] = [await story.api.get('v1', 'Secret', 'keda', `${name}-tls`)];
  await installed.upgrade({ logLevel: 'debug' });
  t.deepEqual((await story.api.get('v1', 'Secret', 'keda', `${name}-tls`))?.['data'], kept?.['data']);

  const scaler = await installed.start();
  const { containers } = (await installed.workload())['spec'].template.spec;
  const [host = ''] = scaler.grpc.split(':');
  for (const each of ['startupProbe', 'readinessProbe']) {
    t.true(await probe(containers[0][each], host, containers[0].ports));
  }
  const names = await startNameServer(() => [host]);
  t.teardown(() => names.stop());
  await story.apply(
    workload('checkout', { replicas: 0 }),
    scaledObject('checkout', {
      min: 0,
      triggers: [
        {
          ...trigger(
            `dns://${names.address}/${name}.keda.svc:6000`,
            { ...infections, enableTLS: 'true' },
            { type: 'external-push' },
          ),
          authenticationRef: { kind: 'ClusterTriggerAuthentication', name },
        },
      ],
    }),
  );
  await story.untilReady('checkout');
  await story.alert(scaler, 'checkout-7d9f8b6c5d-x2x4z', { token });
  await story.untilReplicas('checkout', 1);
});

test('the chart is packaged as it is versioned', async (t) => {
  const story = await openCase(t, 'chart-package');
  const said = await helm(['package', chart, '--destination', story.folder]);
  t.regex(said, /external-scaler-sysdig-\d+\.\d+\.\d+\.tgz/);
});
