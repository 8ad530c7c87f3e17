import type { FoundPod } from '#src/alerts/alert.ts';
import type { Clock } from '#src/clock.ts';
import type { Cluster } from '#src/cluster/cluster.ts';
import { configuredCluster } from '#src/cluster/configured.ts';
import { type Feature, needs, permissionsOf } from '#src/cluster/features.ts';
import type { PodWithOwners } from '#src/cluster/pod-directory.ts';
import { clusterTargets, type Targets, targetsByName } from '#src/cluster/targets.ts';
import type { Settings } from '#src/configuration/settings.ts';
import { Failure } from '#src/failure.ts';
import type { FindsPods, PodAtTime } from '#src/ingest/attribution.ts';
import type { Log } from '#src/log.ts';
import type { ClusterObserver } from '#src/operations/cluster-metrics.ts';
import { carries, forbiddenBy } from '#src/triggers/carried-trigger.ts';
import type { ScaledObjectRef } from '#src/triggers/parse-trigger.ts';
import type { ScaledObjectId, Trigger } from '#src/triggers/trigger.ts';

export interface ClusterParts {
  readonly settings: Settings;
  readonly observer: ClusterObserver;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the rest of the scaler sees of the cluster; without one, the same with less in it. */
export interface ClusterRoad {
  readonly cluster: Cluster | undefined;
  readonly features: ReadonlySet<Feature>;
  readonly targets: Targets;
  readonly pods: FindsPods | undefined;
  /** Who we are to the API server; undefined where it does not say. */
  readonly ownUser: string | undefined;
  readonly refusalOf: (trigger: Trigger) => string | undefined;
  /** Whether the ScaledObject carries exactly this trigger; undefined where nobody can tell. */
  readonly isCarried: ((ref: ScaledObjectRef) => boolean) | undefined;
  /** Tells on the ScaledObject itself what KEDA keeps to itself. */
  warn(scaledObject: ScaledObjectId, reason: string, message: string): void;
  /** For people. */
  describe(): object;
  close(): void;
}

/** Pods and sensors have clocks of their own. */
const skewMs = 5_000;
const startPatienceMs = 3_000;
const upkeepMs = 60_000;

export async function openCluster(parts: ClusterParts): Promise<ClusterRoad> {
  const { settings, observer, clock, log } = parts;
  const origin = configuredCluster(process.env);
  const wanted = wantedFeatures(settings);
  if (origin === undefined) {
    const acting = wanted.filter((feature) => feature === 'surge' || feature === 'reaper');
    if (acting.length > 0)
      log.error(
        { features: acting },
        'is off: no cluster was found to act on; set KUBECONFIG, or run in a pod',
      );
    log.info(
      {},
      'runs without a cluster: workloads are known by the names of their pods, infectedPods is not to be had',
    );
    return withoutCluster();
  }
  // client-node takes 80 MB: only who needs it loads it.
  const { Cluster } = await import('#src/cluster/cluster.ts');
  const { missingPermissions, ownUser } = await import('#src/cluster/permissions.ts');
  const cluster = new Cluster({
    origin,
    namespaces: settings.watchNamespaces ?? [],
    onRequest: (method) => observer.requested(method),
    clock,
    log,
  });
  const { connection } = cluster;
  const features = new Set<Feature>();
  let isSilent = false;
  for (const feature of wanted) {
    const lacks = needs[feature].filter((needed) => !features.has(needed));
    const permissions = permissionsOf(feature, connection.namespace);
    const missing = lacks.length > 0 ? lacks : await lackingFor(permissions);
    if (missing.length === 0) features.add(feature);
    else
      log.warn(
        { feature, missing },
        'is off: a permission is missing; docs/permissions.md says what to grant',
      );
  }
  if (features.has('targets')) await started(cluster.scaledObjects.start());
  const stopUpkeep = upkeep(() => cluster.workloads.tidy());
  log.info({ features: [...features], namespace: connection.namespace }, 'works with the cluster');
  return {
    cluster,
    features,
    targets: features.has('targets') ? clusterTargets(cluster.scaledObjects) : targetsByName,
    pods: features.has('workloads') ? findsPods(cluster, log) : undefined,
    ownUser: await ownUser(connection),
    refusalOf(trigger) {
      const scaledObject = cluster.scaledObjects.get(trigger.scaledObject);
      return scaledObject && forbiddenBy(scaledObject, trigger);
    },
    isCarried: features.has('targets')
      ? (ref) => {
          const scaledObject = cluster.scaledObjects.get(ref);
          return scaledObject !== undefined && carries(scaledObject, ref);
        }
      : undefined,
    warn(id, reason, message) {
      const scaledObject = cluster.scaledObjects.get(id);
      if (scaledObject === undefined || !features.has('events')) return;
      void cluster.events.write(scaledObject, { type: 'Warning', reason, message });
    },
    describe: () => ({ features: [...features], namespace: connection.namespace }),
    close() {
      stopUpkeep();
      cluster.close();
    },
  };

  /** An API server that does not answer is asked once, and again by whoever needs it: nothing is switched off for that. */
  async function lackingFor(permissions: ReturnType<typeof permissionsOf>): Promise<string[]> {
    const namespaces = settings.watchNamespaces ?? [undefined];
    const asked = permissions.flatMap((permission) =>
      permission.namespace === undefined
        ? namespaces.map((namespace) => ({ ...permission, namespace }))
        : [permission],
    );
    if (isSilent) return [];
    try {
      return await missingPermissions(connection, asked);
    } catch (thrown) {
      isSilent = true;
      log.warn(
        { reason: Failure.from(thrown).message },
        'cannot ask which permissions there are; takes them for granted',
      );
      return [];
    }
  }

  async function started(start: Promise<void>): Promise<void> {
    await Promise.race([start, new Promise<void>((resolve) => clock.after(startPatienceMs, resolve))]);
  }

  function upkeep(run: () => void): () => void {
    let stop = clock.after(upkeepMs, again);
    function again(): void {
      run();
      stop = clock.after(upkeepMs, again);
    }
    return () => stop();
  }
}

function wantedFeatures(settings: Settings): Feature[] {
  const features: Feature[] = ['targets', 'workloads', 'events'];
  if (settings['surge.mode'] === 'on') features.push('surge');
  if (settings['reaper.mode'] !== 'off') features.push('reaper');
  if (settings['reaper.mode'] !== 'off' && settings['quarantine.mode'] === 'on') features.push('quarantine');
  return features;
}

function withoutCluster(): ClusterRoad {
  return {
    cluster: undefined,
    features: new Set(),
    targets: targetsByName,
    pods: undefined,
    ownUser: undefined,
    refusalOf: () => undefined,
    isCarried: undefined,
    warn() {},
    describe: () => ({ features: [] }),
    close() {},
  };
}

/** Alerts' view of the cluster's pods. */
function findsPods(cluster: Cluster, log: Log): FindsPods {
  return {
    recall(asked) {
      if (!cluster.watches(asked.namespace)) return 'absent';
      const known = cluster.pods.recall(asked);
      if (known === undefined || known === 'absent') return known;
      return wasThere(known, asked) ? foundPod(known) : 'absent';
    },
    async find(asked) {
      const known = await cluster.pods.find(asked).catch((thrown: unknown) => {
        const { namespace, name: pod } = asked;
        log.debug(
          { namespace, pod, reason: Failure.from(thrown).message },
          'cannot tell whose pod an alert is about',
        );
        throw thrown;
      });
      return known !== undefined && wasThere(known, asked) ? foundPod(known) : undefined;
    },
  };
}

/** Without a UID an alert from before a pod's time was about another of that name. */
function wasThere({ pod }: PodWithOwners, { uid, at }: PodAtTime): boolean {
  return uid !== undefined || pod.createdAt <= at + skewMs;
}

const foundPods = new WeakMap<PodWithOwners, FoundPod>();

function foundPod(known: PodWithOwners): FoundPod {
  let found = foundPods.get(known);
  if (found === undefined) {
    const owners = known.owners.map(({ kind, name }) => Object.freeze({ kind: kind.toLowerCase(), name }));
    found = Object.freeze({ uid: known.pod.uid, owners: Object.freeze(owners) });
    foundPods.set(known, found);
  }
  return found;
}
