import test from 'ava';
import type { AlertSubject } from '#src/alerts/alert.ts';
import { targetsByName } from '#src/cluster/targets.ts';
import { AttackSource } from '#src/sources/attacks/attack-source.ts';
import { AttackWindows } from '#src/sources/attacks/attack-windows.ts';
import { UnderAttack } from '#src/sources/attacks/under-attack.ts';
import type { Sample } from '#src/sources/source.ts';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';
import type { FalcoTrigger } from '#src/triggers/trigger.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { subject } from '#test/journal/journal-entries.ts';

const stranger = { authenticated: false };

function setUp() {
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
