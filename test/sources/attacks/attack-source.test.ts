import test from 'ava';
import type { AlertSubject } from '#src/alerts/alert.ts';
import type { ClusterPod } from '#src/cluster/cluster-pod.ts';
import { targetsByName } from '#src/cluster/targets.ts';
import { Failure } from '#src/failure.ts';
import type { Subject } from '#src/journal/entry.ts';
import { AttackSource, type AttackSourceParts } from '#src/sources/attacks/attack-source.ts';
import { AttackWindows } from '#src/sources/attacks/attack-windows.ts';
import { UnderAttack } from '#src/sources/attacks/under-attack.ts';
import type { Sample } from '#src/sources/source.ts';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';
import type { FalcoTrigger } from '#src/triggers/trigger.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { subject } from '#test/journal/journal-entries.ts';

const stranger = { authenticated: false };

function pod(uid: string, changes: Partial<ClusterPod> = {}): ClusterPod {
  return {
    namespace: 'shop',
    name: uid,
    uid,
    createdAt: 0,
    node: undefined,
    labels: {},
    controller: undefined,
    isReady: true,
    readyAt: 0,
    isLeaving: false,
    hasEnded: false,
    isQuarantined: false,
    resourceVersion: '1',
    ...changes,
  };
}

const owners = [{ kind: 'deployment', name: 'checkout' }];

/** Beside a cluster, with a reaper. */
function inCluster(pods: () => readonly ClusterPod[] = () => []) {
  const base = setUp({ podsOf: pods, isReaping: true });
  const note = (subject: Exclude<Subject, AlertSubject>) =>
    base.windows.record([{ subject, at: base.clock.now(), count: 1 }], base.clock.now());
  const about = (uid: string) => ({ namespace: 'shop', pod: uid, podUid: uid, owners });
  return {
    ...base,
    infect: (...uids: string[]) => {
      for (const uid of uids) base.alert({ pod: uid, found: { uid, owners } });
    },
    reap: (uid: string) =>
      note({ kind: 'reap', ...about(uid), how: 'evicted', rule: 'r', firstAlertAt: base.clock.now() }),
    recreate: (uid: string, tookMs: number, outcome: 'ready' | 'overdue' | 'cancelled' = 'ready') =>
      note({
        kind: 'recreation',
        ...about(uid),
        outcome,
        replacementUid: 'new',
        tookMs,
        sinceAlertMs: tookMs,
      }),
  };
}

function setUp(parts: Partial<Pick<AttackSourceParts, 'podsOf' | 'isReaping'>> = {}) {
  const clock = new ManualClock();
  const windows = new AttackWindows({
    observer: { late() {}, folded() {}, overflowed() {} },
    retentionMs: 24 * 3_600_000,
  });
  const lines: string[] = [];
  const log = { debug() {}, info() {}, error() {}, warn: (_: object, text: string) => lines.push(text) };
  const missing = { since: 0 };
  const source = new AttackSource({
    windows,
    targets: targetsByName,
    podsOf: undefined,
    isReaping: false,
    ...parts,
    refusalOf: () => undefined,
    completeSince: () => missing.since,
    clock,
    log,
  });
  const attacks = new UnderAttack({ windows, targets: targetsByName, clock });
  const alert = (parts: Partial<AlertSubject> = {}) =>
    windows.record(
      [{ subject: { ...subject('checkout-7d9f8b6c5d-bbbbb'), ...parts }, at: clock.now(), count: 1 }],
      clock.now(),
    );
  return { clock, windows, source, attacks, lines, missing, alert };
}

function trigger(metadata: Record<string, string> = {}): FalcoTrigger {
  const scalerMetadata = { source: 'falco', metric: 'infections', threshold: '1', ...metadata };
  const parsed = parseTrigger(
    { namespace: 'shop', name: 'checkout', scalerMetadata },
    { cluster: undefined },
  );
  if (parsed.kind !== 'valid') throw parsed.failure;
  return parsed.trigger as FalcoTrigger;
}

test('measures what can be counted now', (t) => {
  const { clock, source, alert } = setUp();
  alert();
  alert();
  alert({ pod: 'checkout-7d9f8b6c5d-ccccc' });
  const value = (metric: string) => source.measure(trigger({ metric, window: '2m' })).value;
  t.is(value('alerts'), 3);
  t.is(value('alertRate'), 3 / 120);
  t.is(value('infections'), 2);
  t.is(value('infectionRate'), 1);
  t.deepEqual(source.measure(trigger()), { value: 2, at: clock.now(), active: true, origin: 'measured' });
  t.false(source.measure(trigger({ activationThreshold: '2' })).active);
});

test('what cannot be counted yet is an error in words, not a 0', (t) => {
  const { source } = setUp();
  for (const [metric, message] of [
    ['infectedPods', /needs a connection to the cluster.*use infections/],
    ['reapedPods', /needs the reaper/],
    ['recreationSeconds', /needs the reaper/],
  ] as const) {
    t.throws(() => source.measure(trigger({ metric })), { code: 'not-found', message });
  }
  t.throws(
    () => source.measure(trigger({ metric: 'requiredReplicas', healthyReplicas: '6', threshold: '1' })),
    { code: 'not-found' },
  );
});

test('after a journal was lost a 0 is an error until the window has passed', async (t) => {
  const { clock, source, missing, alert } = setUp();
  missing.since = clock.now();
  t.throws(() => source.measure(trigger()), {
    code: 'unavailable',
    message: /lost with the earlier journal.*a guess until/,
  });
  alert();
  t.is(source.measure(trigger()).value, 1, 'what is known counts');
  await clock.advance(600_000);
  t.is(source.measure(trigger()).value, 0);
});

test('tells of the first alert at once, and when the window has run empty', async (t) => {
  const { clock, source, alert } = setUp();
  const samples: Sample[] = [];
  const ending = new AbortController();
  source.watch(trigger({ window: '1m' }), stranger, (sample) => samples.push(sample), ending.signal);
  const activity = () => samples.map(({ active }) => active);
  t.deepEqual(activity(), [false]);
  alert({ priority: 'Notice' });
  t.deepEqual(activity(), [false]);
  alert();
  t.deepEqual(activity(), [false, true]);
  await clock.advance(30_000);
  alert();
  await clock.advance(50_000);
  t.deepEqual(activity(), [false, true]);
  await clock.advance(20_000);
  t.deepEqual(activity(), [false, true, false]);
  alert();
  t.deepEqual(activity(), [false, true, false, true]);
  ending.abort();
  await clock.advance(200_000);
  alert();
  t.is(samples.length, 4);
});

test('who begins to watch during an attack hears of it at once', (t) => {
  const { source, alert } = setUp();
  alert();
  const samples: Sample[] = [];
  source.watch(trigger(), stranger, (sample) => samples.push(sample), new AbortController().signal);
  t.like(samples, [{ active: true, value: 1 }]);
});

test('a rule that only comes with a lower priority than is asked for is told once', (t) => {
  const { source, lines, alert } = setUp();
  const asked = trigger({ rules: 'Read sensitive file, Write *' });
  source.measure(asked);
  t.deepEqual(lines, []);
  alert({ rule: 'Read sensitive file', priority: 'Notice' });
  source.measure(asked);
  source.measure(asked);
  t.is(lines.length, 1);
  t.regex(
    lines[0] ?? '',
    /priority Notice, below its minimumPriority Warning: they do not count; set minimumPriority: Notice/,
  );
});

test('under attack from the first alert until the window has passed, told at both ends', async (t) => {
  const { clock, attacks, alert } = setUp();
  const { workload, filter } = trigger({ minimumPriority: 'Critical' });
  const question = { namespace: 'shop', workload, filter, windowMs: 60_000 };
  const told: boolean[] = [];
  const ending = new AbortController();
  attacks.watch(question, () => told.push(attacks.isUnderAttack(question)), ending.signal);
  t.false(attacks.isUnderAttack(question));
  alert();
  t.deepEqual(told, [true]);
  await clock.advance(45_000);
  alert();
  await clock.advance(45_000);
  t.deepEqual(told, [true]);
  await clock.advance(15_100);
  t.deepEqual(told, [true, false]);
  alert();
  t.deepEqual(told, [true, false], 'not within a minute of the last change');
  await clock.advance(60_000);
  t.deepEqual(told, [true, false, true]);
  await clock.advance(61_000);
  t.deepEqual(told, [true, false, true, false]);
  ending.abort();
  alert();
  t.is(told.length, 4);
});

test('a late alert from before the attack is taken into account, and does not end it', async (t) => {
  const { clock, windows, attacks, alert } = setUp();
  const { workload, filter } = trigger();
  const question = { namespace: 'shop', workload, filter, windowMs: 60_000 };
  attacks.watch(question, () => {}, new AbortController().signal);
  alert();
  t.true(attacks.isUnderAttack(question));
  windows.record(
    [{ subject: subject('checkout-7d9f8b6c5d-ccccc'), at: clock.now() - 600_000, count: 1 }],
    clock.now(),
  );
  t.true(attacks.isUnderAttack(question));
});

test('infected pods are those that still run and serve', (t) => {
  const { source, infect } = inCluster(() => [
    pod('a'),
    pod('b', { isLeaving: true }),
    pod('c', { hasEnded: true }),
    pod('d', { isQuarantined: true }),
    pod('clean'),
  ]);
  infect('a', 'b', 'c', 'd', 'gone');
  const value = (metric: string) => source.measure(trigger({ metric })).value;
  t.is(value('infections'), 5);
  t.is(value('infectedPods'), 1);
});

test('what an account-wide sender says without naming the cluster counts, and nothing may be done about it', (t) => {
  const { source, alert } = setUp();
  alert({ pod: 'checkout-7d9f8b6c5d-bbbbb' });
  alert({ pod: 'checkout-7d9f8b6c5d-ccccc', sender: 'sysdig' });
  alert({ pod: 'checkout-7d9f8b6c5d-ddddd', sender: 'alertmanager' });
  alert({ pod: 'checkout-7d9f8b6c5d-fffff', sender: 'sysdig', cluster: 'prod' });
  const all = trigger();
  const acting = { ...all, filter: { ...all.filter, acting: true } };
  t.is(source.measure(all).value, 4);
  t.is(source.measure(acting).value, 2);
});

test('an alert whose pod is found later counts once, and for the right workload', (t) => {
  const { source, windows, clock, alert } = inCluster(() => [pod('uid-1')]);
  const name = 'checkout-by-hand-x2x4z';
  alert({ pod: name });
  const value = (metric: string) =>
    source.measure(trigger({ metric, workload: 'deployment/checkout' })).value;
  t.is(value('infections'), 0);
  const found = { uid: 'uid-1', owners };
  windows.record([{ subject: { ...subject(name), found }, at: clock.now(), count: 0 }], clock.now());
  t.is(value('infections'), 1);
  t.is(value('infectedPods'), 1);
  t.is(value('alerts'), 0, 'it was counted where it was guessed to be');
  t.is(source.newestAlertAt(trigger({ workload: 'deployment/checkout' })), clock.now());
});

test('while the pods are not known there is no number of infected ones', (t) => {
  const { source, infect } = inCluster(() => {
    throw new Failure('unavailable', 'not known yet');
  });
  infect('a');
  t.throws(() => source.measure(trigger({ metric: 'infectedPods' })), { code: 'unavailable' });
  t.is(source.measure(trigger()).value, 1);
});

test('counts what was reaped, and how long it took to come back', (t) => {
  const { source, clock, infect, reap, recreate } = inCluster(() => [pod('a'), pod('b'), pod('c')]);
  const measure = (metric: string, more = {}) => source.measure(trigger({ metric, window: '2m', ...more }));
  t.like(measure('recreationSeconds'), { value: 60, origin: 'assumed', active: false });
  infect('x', 'y');
  reap('x');
  reap('x');
  t.is(measure('reapedPods').value, 1);
  t.is(measure('reapRate').value, 0.5);
  t.is(measure('reapedPercent').value, 25);
  recreate('x', 4_000);
  reap('y');
  recreate('y', 600_000, 'overdue');
  t.like(measure('recreationSeconds'), { value: 302, origin: 'measured', active: true });
  clock.advance(5 * 60_000);
  // The last that is remembered, without one in the window.
  t.is(measure('recreationSeconds').origin, 'measured');
  t.is(measure('reapedPods').value, 0);
});

test('requiredReplicas is what the load needs, and more than the attacker can infect', (t) => {
  const running = [pod('a'), pod('b')];
  const { source, clock, infect, reap, recreate } = inCluster(() => running);
  const measure = () =>
    source.measure(
      trigger({ metric: 'requiredReplicas', healthyReplicas: '6', threshold: '1', window: '5m' }),
    );
  t.like(measure(), { value: 6, active: false });
  for (const uid of ['1', '2', '3']) {
    reap(uid);
    recreate(uid, 5_000);
  }
  clock.advance(10_000);
  infect(...Array.from({ length: 12 }, (_, n) => `p${n}`));
  clock.advance(60_000);
  // n = 12 in 60 s, 5 s each: 4 more.
  const sample = measure();
  t.like(sample, { value: 10, active: true });
  t.like(sample.inputs, {
    newInfections: 12,
    exposureSeconds: 60,
    outageSeconds: 5,
    surplus: 4,
    infected: 0,
    recreating: 0,
  });
  // What is out now counts if it is more than is expected to be.
  infect('a', 'b');
  for (const uid of ['4', '5', '6']) reap(uid);
  t.like(measure().inputs, { infected: 2, recreating: 3 });
  t.is(measure().value, 11);
  clock.advance(6 * 60_000);
  t.like(measure(), { active: false });
});

test('an alert that the cluster has a pod for counts for all that is above it, and for nothing that only looks like it', (t) => {
  const { source, alert } = inCluster();
  const chain = [
    { kind: 'replicaset', name: 'web-7d9f8b6c5d' },
    { kind: 'deployment', name: 'web' },
    { kind: 'shop', name: 'mine' },
  ];
  // By its name it would be of checkout.
  alert({ pod: 'checkout-7d9f8b6c5d-bbbbb', found: { uid: '1', owners: chain } });
  const value = (workload: string) => source.measure(trigger({ workload })).value;
  t.is(value('checkout'), 0);
  for (const workload of ['web', 'deployment/web', 'shop/mine', 'mine', 'replicaset/web-7d9f8b6c5d'])
    t.is(value(workload), 1);
  t.is(value('statefulset/web'), 0);
  t.is(value('other/mine'), 0);
});
