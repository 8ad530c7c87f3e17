import test from 'ava';
import fc from 'fast-check';
import type { ClusterPod } from '#src/cluster/cluster-pod.ts';
import type { ClusterWorkload } from '#src/cluster/objects.ts';
import {
  floorOf,
  judgeAlert,
  judgePod,
  judgeRoom,
  judgeWorkload,
  type Room,
} from '#src/reaper/decide-reap.ts';
import type { ReapSettings } from '#src/reaper/reap-settings.ts';
import type { Suspect } from '#src/reaper/suspect.ts';

const now = 1_800_000_000_000;

const settings: ReapSettings = {
  mode: 'on',
  rules: [],
  minimumPriority: 'Critical',
  senders: ['falco', 'sysdig'],
  requireNodeMatch: true,
  namespaces: undefined,
  neverNamespaces: ['kube-system', 'keda'],
  minAvailable: '50%',
  maxAlertAgeMs: 60_000,
  periodMs: 300_000,
  maxPerWorkload: 3,
  maxPerCluster: 10,
  graceSeconds: undefined,
  rearmAfterMs: undefined,
  quarantine: undefined,
};

function suspect(changes: Partial<Suspect> = {}): Suspect {
  return {
    namespace: 'shop',
    pod: 'checkout-0',
    uid: 'uid-0',
    rule: 'Drop and execute new binary in container',
    sender: 'falco',
    source: 'syscall',
    host: undefined,
    mayAct: true,
    at: now,
    firstAt: now,
    dueAt: now,
    tries: 0,
    owners: [],
    ...changes,
  };
}

function pod(changes: Partial<ClusterPod> = {}): ClusterPod {
  return {
    namespace: 'shop',
    name: 'checkout-0',
    uid: 'uid-0',
    createdAt: now - 3_600_000,
    node: 'node-a',
    labels: {},
    controller: undefined,
    isReady: true,
    readyAt: now - 3_500_000,
    isLeaving: false,
    hasEnded: false,
    isQuarantined: false,
    resourceVersion: '7',
    ...changes,
  };
}

function workload(labels: Record<string, string>): ClusterWorkload {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name: 'checkout',
    uid: 'uid-w',
    namespace: 'shop',
    labels,
    replicas: 6,
    selector: 'app=checkout',
    controller: undefined,
  };
}

test('judges the alert by its age, its cluster and its namespace', (t) => {
  const judge = (changes: Partial<Suspect>, more: Partial<ReapSettings> = {}) =>
    judgeAlert(suspect(changes), { ...settings, ...more }, now);
  t.is(judge({}), undefined);
  t.is(judge({ at: now - 60_000 }), undefined);
  t.is(judge({ at: now - 60_001 }), 'stale');
  t.is(judge({ mayAct: false }), 'unknown-cluster');
  t.is(judge({ namespace: 'kube-system' }), 'namespace');
  t.is(judge({}, { namespaces: ['other'] }), 'namespace');
  t.is(judge({}, { namespaces: ['shop'] }), undefined);
});

test('judges whether the pod that is there is the one that the alert means', (t) => {
  const judge = (
    changes: Partial<Suspect>,
    found: ClusterPod | undefined,
    more: Partial<ReapSettings> = {},
  ) => judgePod(suspect(changes), found, { ...settings, ...more });
  t.is(judge({}, pod()), undefined);
  t.is(judge({}, undefined), 'no-pod');
  t.is(judge({}, pod({ uid: 'another' })), 'other-pod');
  // Without a UID it must have been there for longer than clocks may differ.
  t.is(judge({ uid: undefined }, pod()), undefined);
  t.is(judge({ uid: undefined }, pod({ createdAt: now - 5_000 })), undefined);
  t.is(judge({ uid: undefined }, pod({ createdAt: now - 4_999 })), 'younger-than-alert');
  t.is(judge({ uid: undefined }, pod({ createdAt: now + 1_000 })), 'younger-than-alert');
  t.is(judge({}, pod({ hasEnded: true })), 'ended');
  t.is(judge({}, pod({ isLeaving: true })), 'leaving');
  t.is(judge({}, pod({ isQuarantined: true })), 'quarantined');
});

test('a syscall alert that names its host counts on the node of the pod only', (t) => {
  const judge = (changes: Partial<Suspect>, more: Partial<ReapSettings> = {}) =>
    judgePod(suspect(changes), pod(), { ...settings, ...more });
  t.is(judge({ host: 'node-a' }), undefined);
  t.is(judge({ host: 'node-b' }), 'node');
  t.is(judge({ host: 'node-b', source: 'k8s_audit' }), undefined);
  t.is(judge({ host: 'node-b' }, { requireNodeMatch: false }), undefined);
});

test('only a workload that has opted in, and is not paused, loses pods', (t) => {
  t.is(judgeWorkload(undefined, undefined), 'no-workload');
  t.is(judgeWorkload(workload({}), undefined), 'not-opted-in');
  t.is(judgeWorkload(workload({ 'external-scaler-sysdig/reap': 'yes' }), undefined), 'not-opted-in');
  t.is(judgeWorkload(workload({ 'external-scaler-sysdig/reap': 'true' }), undefined), undefined);
  t.is(judgeWorkload(workload({ 'external-scaler-sysdig/reap': 'true' }), 'a switch'), 'paused');
});

const six = Array.from({ length: 6 }, (_, n) => pod({ uid: `uid-${n}`, name: `checkout-${n}` }));

function room(changes: Partial<Room> = {}): Room {
  return { pods: six, reaped: new Set(), reapedOfWorkload: 0, reapedOfAll: 0, replicasBefore: 6, ...changes };
}

test('keeps the floor, and counts neither what is going nor what it has taken', (t) => {
  const [first] = six as [ClusterPod];
  const judge = (changes: Partial<Room>, minAvailable = '50%') =>
    judgeRoom(first, room(changes), { ...settings, minAvailable });
  t.is(judge({}), undefined);
  t.is(judge({ reaped: new Set(['uid-1', 'uid-2']) }), undefined);
  t.is(judge({ reaped: new Set(['uid-1', 'uid-2', 'uid-3']) }), 'floor');
  t.is(judge({ pods: six.map((one, n) => (n > 3 ? { ...one, isLeaving: true } : one)) }), undefined);
  t.is(judge({ pods: six.map((one, n) => (n > 2 ? { ...one, isReady: false } : one)) }), 'floor');
  t.is(judge({}, '5'), undefined);
  t.is(judge({}, '6'), 'floor');
  // What a surge has added protects nobody and endangers nobody.
  t.is(
    judge({ pods: [...six, ...six.map((one) => ({ ...one, uid: `new-${one.uid}`, isReady: false }))] }),
    undefined,
  );
  t.is(judge({ replicasBefore: 12 }), 'floor');
});

test('the limits hold, and nobody is taken twice', (t) => {
  const [first] = six as [ClusterPod];
  t.is(judgeRoom(first, room({ reapedOfWorkload: 3 }), settings), 'workload-limit');
  t.is(judgeRoom(first, room({ reapedOfAll: 10 }), settings), 'cluster-limit');
  t.is(judgeRoom(first, room({ reaped: new Set(['uid-0']) }), settings), 'already-reaped');
});

test('the floor is a number, or a percentage rounded up', (t) => {
  t.is(floorOf('3', 100), 3);
  t.is(floorOf('50%', 6), 3);
  t.is(floorOf('50%', 5), 3);
  t.is(floorOf('50%', 1), 1);
  t.is(floorOf('0%', 7), 0);
});

test('however it is asked, taking pods one after the other never leaves fewer than the floor', (t) => {
  const property = fc.property(
    fc.array(fc.record({ isReady: fc.boolean(), isLeaving: fc.boolean() }), { minLength: 1, maxLength: 20 }),
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: 1, max: 20 }),
    (states, percent, replicasBefore) => {
      const pods = states.map((state, n) => pod({ uid: `uid-${n}`, ...state }));
      const bold = { ...settings, minAvailable: `${percent}%`, maxPerWorkload: 100, maxPerCluster: 100 };
      const reaped = new Set<string>();
      const available = () =>
        pods.filter(({ uid, isReady, isLeaving }) => isReady && !isLeaving && !reaped.has(uid)).length;
      const before = available();
      for (const one of pods) {
        if (judgeRoom(one, room({ pods, reaped, replicasBefore }), bold) === undefined) reaped.add(one.uid);
      }
      return available() >= Math.min(before, floorOf(bold.minAvailable, replicasBefore));
    },
  );
  fc.assert(property);
  t.pass();
});
