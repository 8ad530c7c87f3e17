import { readFileSync } from 'node:fs';
import test from 'ava';
import { parseAllDocuments } from 'yaml';
import { type Feature, featureNames, permissionsOf } from '#src/cluster/features.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

interface Role {
  kind: string;
  metadata: { name: string };
  rules: Rule[];
}

const roles = parseAllDocuments(readFileSync('deploy/rbac.yaml', 'utf8'))
  .map((document) => document.toJS() as Role)
  .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');

/** Which roles of the manifest a feature lives on. */
const rolesOf: Readonly<Record<Feature, readonly string[]>> = {
  targets: ['external-scaler-sysdig'],
  workloads: ['external-scaler-sysdig'],
  events: ['external-scaler-sysdig'],
  surge: ['external-scaler-sysdig-surge'],
  reaper: ['external-scaler-sysdig-reaper'],
  quarantine: ['external-scaler-sysdig-quarantine'],
};

for (const feature of featureNames) {
  test(`the manifest grants what ${feature} asks for`, (t) => {
    const wanted = permissionsOf(feature, 'keda');
    t.true(wanted.length > 0);
    for (const { verb, group, resource, namespace, name } of wanted) {
      const kind = namespace === undefined ? 'ClusterRole' : 'Role';
      const granting = roles.filter(
        (role) => role.kind === kind && (kind === 'Role' || rolesOf[feature].includes(role.metadata.name)),
      );
      const isGranted = granting
        .flatMap(({ rules }) => rules)
        .some(
          ({ apiGroups, resources, verbs, resourceNames }) =>
            apiGroups.includes(group) &&
            resources.includes(resource) &&
            verbs.includes(verb) &&
            (resourceNames === undefined || (name !== undefined && resourceNames.includes(name))),
        );
      t.true(isGranted, `${verb} ${resource}`);
    }
  });
}

test('the manifest holds no wildcard, and no verb that nobody needs', (t) => {
  const needless = new Set(['*', 'delete', 'deletecollection', 'bind', 'escalate', 'impersonate']);
  for (const { rules } of roles) {
    for (const { apiGroups, resources, verbs } of rules) {
      for (const word of [...apiGroups, ...resources, ...verbs]) t.false(needless.has(word), word);
    }
  }
});
