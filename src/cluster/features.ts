import type { Permission } from '#src/cluster/permissions.ts';

/** What the scaler can do with a cluster; each is switched off by itself where a permission is missing. */
export const featureNames = ['targets', 'workloads', 'events', 'surge', 'reaper', 'quarantine'] as const;
export type Feature = (typeof featureNames)[number];

/** Of the Lease that says who acts, and of the ConfigMap that stops all acts. */
export const homeName = 'external-scaler-sysdig';

/** Feature → verbs and resources: docs/permissions.md shows it, the chart grants it. `home`: our own namespace. */
export function permissionsOf(feature: Feature, home: string): readonly Permission[] {
  switch (feature) {
    case 'targets':
      return ['scaledobjects', 'scaledjobs'].flatMap((resource) =>
        ['get', 'list', 'watch'].map((verb) => ({ verb, group: 'keda.sh', resource })),
      );
    case 'workloads':
      return [
        ...['get', 'list', 'watch'].map((verb) => ({ verb, group: '', resource: 'pods' })),
        ...['deployments', 'statefulsets', 'daemonsets', 'replicasets'].map((resource) => ({
          verb: 'get',
          group: 'apps',
          resource,
        })),
        ...['jobs', 'cronjobs'].map((resource) => ({ verb: 'get', group: 'batch', resource })),
      ];
    case 'events':
      return [{ verb: 'create', group: '', resource: 'events' }];
    case 'surge':
      return [
        ...['get', 'update'].map((verb) => ({ verb, group: 'apps', resource: 'deployments/scale' })),
        { verb: 'get', group: '', resource: 'namespaces' },
        ...acting(home),
      ];
    case 'reaper':
      return [
        { verb: 'create', group: '', resource: 'pods/eviction' },
        { verb: 'get', group: '', resource: 'namespaces' },
        { verb: 'list', group: 'policy', resource: 'poddisruptionbudgets' },
        ...acting(home),
      ];
    case 'quarantine':
      return [{ verb: 'patch', group: '', resource: 'pods' }];
  }
}

/** What every feature that acts needs in our own namespace. */
function acting(home: string): Permission[] {
  const group = 'coordination.k8s.io';
  return [
    { verb: 'create', group, resource: 'leases', namespace: home },
    ...['get', 'update'].map((verb) => ({
      verb,
      group,
      resource: 'leases',
      namespace: home,
      name: homeName,
    })),
    { verb: 'get', group: '', resource: 'configmaps', namespace: home, name: homeName },
  ];
}

/** What a feature needs of another. */
export const needs: Readonly<Record<Feature, readonly Feature[]>> = {
  targets: [],
  workloads: [],
  events: [],
  surge: ['targets', 'workloads'],
  reaper: ['workloads'],
  quarantine: ['reaper'],
};
