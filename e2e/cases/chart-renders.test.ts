import test from 'ava';
import { parseObjects, type RawObject } from '#e2e/control-plane/raw-api.ts';
import { openCase } from '#e2e/harness/case.ts';
import { installations } from '#e2e/harness/chart-values.ts';
import { chart, helm, release, rendered, type Values } from '#e2e/harness/helm.ts';
import { demandRestricted } from '#e2e/harness/installed-chart.ts';
import { conform } from '#e2e/harness/kubeconform.ts';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';

for (const [title, values] of Object.entries(installations)) {
  test(`${title}: kubeconform and the API server accept all of it`, async (t) => {
    const story = await openCase(t, 'chart');
    const objects = await rendered(values, story.namespace);
    await conform(objects);
    await story.api.tryToApply(objects.map((object) => withNamespace(object, story.namespace)));
    t.is(
      new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace} ${metadata.name}`)).size,
      objects.length,
    );
    await t.notThrowsAsync(helm(['lint', '--strict', chart], values));
  });

  test(`${title}: its pod is admitted where Pod Security is restricted`, async (t) => {
    const story = await openCase(t, 'chart-pod');
    await demandRestricted(story.api, story.namespace);
    const { metadata, spec } = workloadOf(await rendered(values, story.namespace))['spec'].template;
    await story.until('the namespace has its account', () => story.get('ServiceAccount', 'default'));
    const pod = (security: object) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name: 'pod', namespace: story.namespace },
      spec: { ...spec, serviceAccountName: 'default', ...security },
    });
    await t.notThrowsAsync(story.api.tryToApply([pod({})]));
    await t.throwsAsync(story.api.tryToApply([pod({ hostNetwork: true })]), {
      message: /violates PodSecurity/,
    });
  });

  test(`${title}: what its pod needs is made, or named in the notes`, async (t) => {
    const said = await helm(['install', release, chart, '--namespace', 'keda', '--dry-run=client'], values);
    const notes = said.slice(said.indexOf('\nNOTES:'));
    t.true(notes.includes('kind: ScaledObject'));
    const objects = await rendered(values);
    const authenticates = objects.some(({ kind }) => kind === 'ClusterTriggerAuthentication');
    t.is(notes.includes('kind: ClusterTriggerAuthentication'), authenticates);
    const needed = workloadOf(objects)['spec'].template.spec.volumes.map(
      ({ secret, configMap, persistentVolumeClaim }: RawObject): [string, string] =>
        (secret && ['Secret', secret.secretName]) ??
        (configMap && ['ConfigMap', configMap.name]) ?? [
          'PersistentVolumeClaim',
          persistentVolumeClaim.claimName,
        ],
    );
    for (const [kind, name] of needed) {
      const isMade = objects.some(
        (object) => (object.kind === kind && object.metadata.name === name) || issues(object, kind, name),
      );
      t.true(isMade || new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(notes), `${kind} ${name}`);
    }
  });
}

/** A Certificate makes its Secret. */
function issues({ kind, spec }: RawObject, wantedKind: string, name: string): boolean {
  return kind === 'Certificate' && wantedKind === 'Secret' && spec.secretName === name;
}

function workloadOf(objects: readonly RawObject[]): RawObject {
  const found = objects.find(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment');
  if (found === undefined) throw new Error('the chart has made no workload');
  return found;
}

function withNamespace(object: RawObject, namespace: string): RawObject {
  return { ...object, metadata: { namespace, ...object.metadata } };
}

test('several replicas are rolled and drained one by one; a single one holds up nobody', async (t) => {
  const many = await rendered(installations['three replicas over Redis'] ?? {});
  const deployment = many.find(({ kind }) => kind === 'Deployment')?.['spec'];
  t.is(deployment.minReadySeconds, 40);
  const pod = deployment.template.spec;
  t.deepEqual(pod.containers[0].lifecycle, { preStop: { sleep: { seconds: 5 } } });
  t.is(pod.topologySpreadConstraints.length, 2);
  t.is(many.find(({ kind }) => kind === 'PodDisruptionBudget')?.['spec'].maxUnavailable, 1);

  const one = await rendered({});
  const spec = one.find(({ kind }) => kind === 'StatefulSet')?.['spec'];
  t.deepEqual(
    [spec.replicas, spec.minReadySeconds, spec.template.spec.containers[0].lifecycle],
    [1, undefined, undefined],
  );
  t.false(one.some(({ kind }) => kind === 'PodDisruptionBudget' || kind === 'Deployment'));
});

test('alerts have a Service only where somebody may send them, and the policy names who', async (t) => {
  const services = (objects: readonly RawObject[]) =>
    objects.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
  const ports = (objects: readonly RawObject[]) =>
    objects
      .find(({ kind }) => kind === 'NetworkPolicy')
      ?.['spec'].ingress.map(({ ports: [{ port }] }: { ports: [{ port: string }] }) => port);
  const closed = await rendered({});
  t.deepEqual([services(closed), ports(closed)], [[release], ['grpc', 'operations']]);
  const open = await rendered(installations['a trial'] ?? {});
  t.deepEqual(services(open), [release, `${release}-ingest`]);
  t.deepEqual(ports(open), ['grpc', 'ingest', 'operations']);
});

test('the ScaledObject in the notes is one that KEDA and the scaler take', async (t) => {
  const said = await helm(['install', release, chart, '--namespace', 'keda', '--dry-run=client'], {});
  const [, text = ''] = said.split(/^A ScaledObject to start from.*$/m);
  const [scaledObject] = parseObjects(text.replaceAll(/^ {4}/gm, '')) as [RawObject];
  const story = await openCase(t, 'chart-notes');
  const { name } = scaledObject.metadata;
  await story.api.tryToApply([{ ...scaledObject, metadata: { name, namespace: story.namespace } }]);
  const [{ metadata }] = scaledObject['spec'].triggers;
  t.is(metadata.scalerAddress, 'external-scaler-sysdig.keda.svc:6000');
  const ref = { namespace: 'shop', name, scalerMetadata: metadata };
  t.is(parseTrigger(ref, { cluster: undefined }).kind, 'valid');
});

const rules = ['*'];
const acting = { clusterName: 'c' };
const refused: readonly { readonly values: Values; readonly says: string }[] = [
  { values: { replicaCount: 2 }, says: "'/replicaCount': maximum: got 2, want 1" },
  {
    values: {
      replicaCount: 2,
      journal: { type: 'memory' },
      ingest: { credentials: { a: { existingSecret: 'a' } } },
    },
    says: "'/replicaCount': maximum: got 2, want 1",
  },
  { values: { surge: { mode: 'on' } }, says: "'/clusterName': minLength" },
  { values: { ...acting, surge: { mode: 'on' }, journal: { type: 'memory' } }, says: "'/journal/type'" },
  {
    values: { ...acting, reaper: { mode: 'on', rules }, journal: { type: 'memory' } },
    says: "'/journal/type'",
  },
  { values: { ...acting, reaper: { mode: 'on' } }, says: "'/reaper/rules': minItems" },
  { values: { ...acting, surge: { mode: 'on' }, cluster: { enabled: false } }, says: "'/cluster/enabled'" },
  { values: { quarantine: { mode: 'on' } }, says: "'/reaper/mode'" },
  { values: { journal: { type: 'redis' } }, says: "'/journal/url': minLength" },
  { values: { journal: { url: 'redis://a' } }, says: "'/journal/url': maxLength" },
  { values: { sysdig: { region: 'eu1' } }, says: "'/sysdig/existingSecret'" },
  { values: { sysdig: { region: 'eu1', url: 'https://a', existingSecret: 'a' } }, says: "'/sysdig/url'" },
  {
    values: { accounts: { a: { region: 'eu1', existingSecret: 'a' } } },
    says: "missing property 'namespaces'",
  },
  { values: { ingest: { credentials: { a: { senders: ['falco'] } } } }, says: "'/ingest/credentials/a'" },
  { values: { certificates: { mutual: true } }, says: "'/certificates/autoGenerated'" },
  { values: { certificates: { autoGenerated: true, secretName: 'a' } }, says: "'/certificates/secretName'" },
  { values: { surge: { mode: true } }, says: "'/surge/mode': value must be one of 'off', 'on'" },
  { values: { reaper: { neverNamespace: [] } }, says: "additional properties 'neverNamespace' not allowed" },
  { values: { replicas: 2 }, says: "additional properties 'replicas' not allowed" },
];

for (const { values, says } of refused) {
  test(`refuses ${JSON.stringify(values)}`, async (t) => {
    const { message } = (await t.throwsAsync(rendered(values))) ?? { message: '' };
    t.true(message.includes(says), message);
  });
}
