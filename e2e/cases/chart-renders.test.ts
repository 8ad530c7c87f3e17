import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { stringify } from 'yaml';
import type { RawObject } from '#e2e/control-plane/raw-api.ts';
import { openCase } from '#e2e/harness/case.ts';
import { installations } from '#e2e/harness/chart-values.ts';
import { chart, helm, release, rendered, type Values } from '#e2e/harness/helm.ts';
import { conform } from '#e2e/harness/kubeconform.ts';
import { type Feature, permissionsOf } from '#src/cluster/features.ts';
import { type Configuration, readConfiguration } from '#src/configuration/read-configuration.ts';
import { type Settings, settings } from '#src/configuration/settings.ts';
import { findProgram } from '#test/harness/guarded-program.ts';

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

  test(`${title}: what its pod needs is made, or named in the notes`, async (t) => {
    const said = await helm(['install', release, chart, '--namespace', 'keda', '--dry-run=client'], values);
    const notes = said.slice(said.indexOf('\nNOTES:'));
    t.true(notes.includes('kind: ScaledObject'));
    const objects = await rendered(values);
    const workload = objects.find(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment');
    const needed = (workload?.['spec'].template.spec.volumes ?? []).map(
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

function withNamespace(object: RawObject, namespace: string): RawObject {
  return { ...object, metadata: { namespace, ...object.metadata } };
}

test('its defaults are those of the code, but for the place of the journal', async (t) => {
  const { settings } = configurationIn(await rendered({}));
  const { settings: own } = readConfiguration({}, () => '');
  t.deepEqual(settings, { ...own, journal: 'sqlite:/data/journal.db' });
  const values = { sysdig: { region: 'eu1', existingSecret: 'token' } };
  const tokenFile = '/var/run/secrets/external-scaler-sysdig/account-sysdig/token';
  const accounts = readConfiguration(
    { SYSDIG_REGION: 'eu1', SYSDIG_TOKEN_FILE: tokenFile },
    () => '',
  ).accounts;
  t.deepEqual(configurationIn(await rendered(values)).accounts, accounts);
});

test('every setting can be reached by a value', async (t) => {
  const {
    settings: reached,
    accounts,
    credentials,
  } = configurationIn(await rendered({ ...installations['everything at once'], ...rare }));
  const unset = Object.keys(settings.shape).filter((key) => reached[key as keyof Settings] === undefined);
  t.deepEqual(unset, []);
  t.deepEqual([...accounts.keys()].sort(), ['default', 'ibm', 'team-a']);
  t.deepEqual([...credentials.keys()].sort(), ['alertmanager', 'falco']);
});

/** What the installations have no use for. */
const rare: Values = {
  attacksAcrossNamespaces: ['security'],
  reaper: { mode: 'on', rules: ['*'], namespaces: ['shop'], gracePeriod: '5s', rearmAfter: '1h' },
};

for (const title of Object.keys(installations).filter((one) => one !== 'three replicas over Redis')) {
  test(`${title}: the scaler takes the configuration`, async (t) => {
    t.truthy(configurationIn(await rendered(installations[title] ?? {})).settings);
  });
}

function configurationIn(objects: readonly RawObject[]): Configuration {
  const found = objects.find(({ metadata }) => metadata.name === `${release}-configuration`);
  return readConfiguration({ CONFIG_FILE: 'config.yaml' }, () => found?.['data']['config.yaml'] ?? '');
}

const rules = ['*'];
const acting = { clusterName: 'c' };
const features: readonly { readonly values: Values; readonly switchedOn: readonly Feature[] }[] = [
  { values: {}, switchedOn: ['targets', 'workloads', 'events'] },
  { values: { ...acting, surge: { mode: 'on' } }, switchedOn: ['targets', 'workloads', 'events', 'surge'] },
  {
    values: { ...acting, reaper: { mode: 'dry-run', rules } },
    switchedOn: ['targets', 'workloads', 'events', 'reaper'],
  },
  {
    values: { ...acting, surge: { mode: 'on' }, reaper: { mode: 'on', rules }, quarantine: { mode: 'on' } },
    switchedOn: ['targets', 'workloads', 'events', 'surge', 'reaper', 'quarantine'],
  },
  { values: { cluster: { enabled: false } }, switchedOn: [] },
];

for (const { values, switchedOn } of features) {
  test(`grants exactly what is asked for by: ${switchedOn.join(', ') || 'nothing'}`, async (t) => {
    // Of kinds of workloads a surge must know each scale that it sets; the code asks for one of them.
    const beyond = ['get apps/statefulsets/scale', 'update apps/statefulsets/scale'];
    const wanted = switchedOn
      .flatMap((feature) => permissionsOf(feature, 'keda'))
      .map(({ verb, group, resource, name = '' }) => `${verb} ${group}/${resource} ${name}`.trim());
    if (switchedOn.includes('surge')) wanted.push(...beyond);
    const roles = (await rendered({ rbac: { scaledRefKinds: [] }, ...values })).filter(({ kind }) =>
      kind.endsWith('Role'),
    );
    t.deepEqual(distinct(roles.flatMap(granted)), distinct(wanted));
  });
}

function granted({ rules }: RawObject): string[] {
  return (
    rules as { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[]
  ).flatMap(({ apiGroups: [group], resources, verbs, resourceNames: [name = ''] = [] }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource} ${name}`.trim())),
  );
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

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

test('Prometheus accepts the alerts', async (t) => {
  const story = await openCase(t, 'alerts');
  const values = { prometheus: { prometheusRules: { enabled: true } } };
  const found = (await rendered(values)).find(({ kind }) => kind === 'PrometheusRule');
  const file = join(story.folder, 'rules.yaml');
  writeFileSync(file, stringify(found?.['spec']));
  const { stdout } = await promisify(execFile)(await findProgram('promtool'), ['check', 'rules', file]);
  t.regex(stdout, /SUCCESS: 10 rules found/);
});
