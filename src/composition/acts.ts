import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '#src/clock.ts';
import type { Cluster } from '#src/cluster/cluster.ts';
import { homeName } from '#src/cluster/features.ts';
import type { PauseSwitches } from '#src/cluster/pause-switches.ts';
import type { AttackRoad } from '#src/composition/attacks.ts';
import type { ClusterRoad } from '#src/composition/cluster.ts';
import type { Settings } from '#src/configuration/settings.ts';
import { Failure } from '#src/failure.ts';
import type { Entry, Subject } from '#src/journal/entry.ts';
import { floorTo, tickMs } from '#src/journal/resolution.ts';
import type { Log } from '#src/log.ts';
import type { ClusterObserver } from '#src/operations/cluster-metrics.ts';
import { Arming } from '#src/reaper/arming.ts';
import { Ledger } from '#src/reaper/ledger.ts';
import { ReapReports } from '#src/reaper/reap-reports.ts';
import { reapSettings } from '#src/reaper/reap-settings.ts';
import { Reaper } from '#src/reaper/reaper.ts';
import { Recreations } from '#src/reaper/recreations.ts';
import { keepReaperUp } from '#src/reaper/upkeep.ts';
import { Surge } from '#src/surge/surge.ts';
import type { ParsedTrigger, ScaledObjectRef } from '#src/triggers/parse-trigger.ts';
import type { Trigger } from '#src/triggers/trigger.ts';

export interface ActParts {
  readonly settings: Settings;
  readonly inCluster: ClusterRoad;
  readonly road: AttackRoad;
  readonly parse: (ref: ScaledObjectRef) => ParsedTrigger;
  readonly observer: ClusterObserver;
  readonly clock: Clock;
  readonly log: Log;
}

/** Everything that does something to the cluster; without one it is there and does nothing. */
export interface ActRoad {
  /** Takes entries of the journal in, past ones first. */
  record(entries: readonly Entry[]): void;
  /** The past is known: acts from now on. */
  start(): void;
  /** A request asks about this trigger. */
  asked(trigger: Trigger, ref: ScaledObjectRef): void;
  readonly isActing: boolean;
  readonly disarmed: ReadonlyMap<string, { readonly since: number; readonly reason: string }>;
  /** False if the rule was not disarmed. */
  rearm(rule: string): boolean;
  close(): Promise<void>;
}

const upkeepMs = 60_000;

export async function openActs(parts: ActParts): Promise<ActRoad> {
  const { inCluster, clock, log } = parts;
  const { cluster, features } = inCluster;
  if (cluster === undefined || !features.has('targets')) return inert;
  const { Lease } = await import('#src/cluster/lease.ts');
  const { PauseSwitches } = await import('#src/cluster/pause-switches.ts');
  const { connection } = cluster;
  const isActive = features.has('surge') || features.has('reaper');
  const identity = `${hostname()}_${randomUUID()}`;
  const lease = isActive ? new Lease({ connection, name: homeName, identity, clock, log }) : undefined;
  const mayAct = () => lease?.isHeld ?? false;
  const switches = new PauseSwitches({ connection, clock });
  const surge = openSurge(parts, cluster, { switches, mayAct });
  const reaper = features.has('reaper') ? await openReaper(parts, cluster, { switches, mayAct }) : undefined;
  lease?.onTaken(() => {
    surge.takeOver();
    void reaper?.takeOver();
  });
  return {
    record: (entries) => reaper?.record(entries),
    start() {
      surge.start();
      reaper?.start();
      lease?.start();
    },
    asked(trigger, ref) {
      if (trigger.source !== 'falco' || !trigger.surge) return;
      surge.claimed(ref, inCluster.isCarried?.(ref) ?? false);
    },
    get isActing() {
      return mayAct();
    },
    get disarmed() {
      return reaper?.disarmed ?? inert.disarmed;
    },
    rearm: (rule) => reaper?.rearm(rule) ?? false,
    async close() {
      surge.stop();
      reaper?.stop();
      await lease?.stop();
    },
  };
}

const inert: ActRoad = {
  record() {},
  start() {},
  asked() {},
  isActing: false,
  disarmed: new Map(),
  rearm: () => false,
  close: () => Promise.resolve(),
};

interface Acting {
  readonly switches: PauseSwitches;
  readonly mayAct: () => boolean;
}

function openSurge(
  { settings, inCluster, road, parse, observer, clock, log }: ActParts,
  { scaledObjects, objects, events }: Cluster,
  { switches, mayAct }: Acting,
): Surge {
  const off = inCluster.features.has('surge')
    ? undefined
    : `surge is off where the scaler runs (SURGE=${settings['surge.mode']}${settings['surge.mode'] === 'on' ? ', a permission is missing' : ''})`;
  return new Surge({
    scaledObjects,
    objects,
    switches,
    events,
    source: road.source,
    parse,
    mayAct,
    off,
    maxReplicas: settings['surge.maxReplicas'],
    maxAlertAgeMs: settings['reaper.maxAlertAge'],
    observer,
    clock,
    log,
  });
}

interface ReaperRoad {
  record(entries: readonly Entry[]): void;
  start(): void;
  takeOver(): Promise<void>;
  readonly disarmed: Ledger['disarmed'];
  rearm(rule: string): boolean;
  stop(): void;
}

async function openReaper(
  { settings, inCluster, road, observer, clock, log }: ActParts,
  { connection, events, objects, pods, workloads }: Cluster,
  { switches, mayAct }: Acting,
): Promise<ReaperRoad> {
  const { PodActs } = await import('#src/cluster/pod-acts.ts');
  const home = connection.namespace;
  const reaping = reapSettings(settings, home, inCluster.features.has('quarantine'));
  const ledger = new Ledger();
  const acts = new PodActs({ connection, clock });
  const self = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    namespace: home,
    name: homeName,
    uid: '',
  };
  const reports = new ReapReports({ events, observer, self, clock, log });
  const record = (entries: readonly Entry[]) => road.recorder.record(entries);
  const write = (subject: Subject) => {
    record([{ subject, at: floorTo(tickMs, clock.now()), count: 1 }]).catch((thrown: unknown) => {
      log.warn({ reason: Failure.from(thrown).message }, 'an entry of the reaper is not durable');
    });
  };
  const arming = new Arming({ ledger, reports, write, rearmAfterMs: reaping.rearmAfterMs });
  const isElected = mayAct;
  const recreations = new Recreations({
    ledger,
    workloads,
    objects,
    record,
    observer,
    isElected,
    clock,
    log,
  });
  const reaper = new Reaper({
    settings: reaping,
    ledger,
    arming,
    reports,
    pods,
    objects,
    workloads,
    switches,
    acts,
    recreations,
    record,
    isElected,
    clock,
    log,
  });
  let arePast = true;
  let stopTimer: (() => void) | undefined;
  const schedule = () => {
    stopTimer = clock.after(upkeepMs, async () => {
      const namespaces = settings.watchNamespaces;
      if (mayAct())
        await keepReaperUp({ settings: reaping, ledger, arming, acts, namespaces, log }, clock.now());
      schedule();
    });
  };
  return {
    record(entries) {
      ledger.record(entries);
      reaper.record(entries, arePast);
    },
    start() {
      arePast = false;
      recreations.start();
      schedule();
    },
    takeOver: () => reaper.takeOver(),
    disarmed: ledger.disarmed,
    rearm: (rule) => arming.rearm(rule, 'somebody said so'),
    stop() {
      reaper.stop();
      recreations.stop();
      stopTimer?.();
    },
  };
}
