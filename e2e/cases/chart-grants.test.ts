import test from 'ava';
import type { RawObject } from '#e2e/control-plane/raw-api.ts';
import { rendered, type Values } from '#e2e/harness/helm.ts';
import { type Feature, permissionsOf } from '#src/cluster/features.ts';

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

test('a token of the API server is mounted only where the cluster is looked at', async (t) => {
  for (const [values, mounted] of [
    [{}, true],
    [{ cluster: { enabled: false } }, false],
  ] as const) {
    const objects = await rendered(values);
    const spec = objects.find(({ kind }) => kind === 'StatefulSet')?.['spec'].template.spec;
    t.is(spec.automountServiceAccountToken, mounted);
    t.is(objects.find(({ kind }) => kind === 'ServiceAccount')?.['automountServiceAccountToken'], false);
  }
});
