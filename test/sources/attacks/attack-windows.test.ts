import { deepStrictEqual } from 'node:assert';
import test from 'ava';
import fc from 'fast-check';
import type { AlertSubject } from '#src/alerts/alert.ts';
import type { Entry } from '#src/journal/entry.ts';
import { floorTo, mostAheadMs } from '#src/journal/resolution.ts';
import { type AttackObserver, AttackWindows } from '#src/sources/attacks/attack-windows.ts';
import type { AttackQuestion } from '#src/sources/attacks.ts';
import { subject } from '#test/journal/journal-entries.ts';
import { Oracle } from '#test/sources/attacks/oracle.ts';

const start = 1_760_000_000_000;
const hour = 3_600_000;
const quiet: AttackObserver = { late() {}, folded() {}, overflowed() {} };

function question(parts: Partial<AttackQuestion> = {}): AttackQuestion {
  return {
    namespace: 'shop',
    workload: { kind: undefined, name: 'checkout' },
    filter: { minimumPriority: 'Warning', rules: [], tags: [], sources: [] },
    windowMs: 300_000,
    ...parts,
  };
}

function checkout(suffix: string, parts: Partial<AlertSubject> = {}): AlertSubject {
  return { ...subject(`checkout-7d9f8b6c5d-${suffix}`), ...parts };
}

function numbers({
  alerts,
  infections,
  newInfections,
}: Record<'alerts' | 'infections' | 'newInfections', number>) {
  return { alerts, infections, newInfections };
}

test('counts alerts and pods of the workload within the window', (t) => {
  const windows = new AttackWindows({ observer: quiet, retentionMs: 24 * hour });
  const [one, two] = [checkout('bbbbb'), checkout('ccccc')];
  windows.record(
    [
      { subject: one, at: start, count: 3 },
      { subject: two, at: start + 1_000, count: 1 },
    ],
    start + 1_000,
  );
  windows.record([{ subject: subject('cart-0'), at: start, count: 9 }], start + 1_000);
  t.deepEqual(numbers(windows.view(question(), start + 1_000)), {
    alerts: 4,
    infections: 2,
    newInfections: 2,
  });
  windows.record([{ subject: two, at: start + 299_000, count: 1 }], start + 299_000);
  t.deepEqual(numbers(windows.view(question(), start + 300_000)), {
    alerts: 2,
    infections: 1,
    newInfections: 1,
  });
  t.deepEqual(numbers(windows.view(question(), start + 301_000)), {
    alerts: 1,
    infections: 1,
    newInfections: 0,
  });
  t.deepEqual(numbers(windows.view(question(), start + 600_000)), {
    alerts: 0,
    infections: 0,
    newInfections: 0,
  });
});

test('a later UID is attached to the pod that had none', (t) => {
  const windows = new AttackWindows({ observer: quiet, retentionMs: 24 * hour });
  for (const podUid of [undefined, 'u1', undefined, 'u1']) {
    windows.record([{ subject: checkout('bbbbb', { podUid }), at: start, count: 1 }], start);
  }
  t.is(windows.view(question(), start).infections, 1);
  windows.record(
    [{ subject: checkout('bbbbb', { podUid: 'u2' }), at: start + 1_000, count: 1 }],
    start + 1_000,
  );
  t.is(windows.view(question(), start + 1_000).infections, 2);
});

test('what the alert says of its workload goes before any guess', (t) => {
  const windows = new AttackWindows({ observer: quiet, retentionMs: 24 * hour });
  const named = checkout('bbbbb', { workload: { kind: 'deployment', name: 'till' } });
  windows.record([{ subject: named, at: start, count: 1 }], start);
  t.is(windows.view(question(), start).alerts, 0);
  t.is(windows.view(question({ workload: { kind: 'deployment', name: 'till' } }), start).alerts, 1);
});

test('watchers hear of alerts that match, and of no others', (t) => {
  const windows = new AttackWindows({ observer: quiet, retentionMs: 24 * hour });
  let told = 0;
  windows
    .view(question({ filter: { ...question().filter, rules: ['Write *'] } }), start)
    .watchers.add(() => told++);
  windows.record([{ subject: checkout('bbbbb'), at: start, count: 1 }], start);
  t.is(told, 0);
  windows.record([{ subject: checkout('bbbbb', { rule: 'Write below etc' }), at: start, count: 1 }], start);
  t.is(told, 1);
});

test('above the bound the pods whose last alert is oldest are folded, and numbers of pods say so', (t) => {
  const folded: number[] = [];
  const observer = { ...quiet, folded: (pods: number) => folded.push(pods) };
  const windows = new AttackWindows({ observer, retentionMs: 24 * hour, mostPods: 100 });
  const before = windows.view(question(), start);
  for (let pod = 0; pod < 150; pod++) {
    const name = `checkout-7d9f8b6c5d-${pod
      .toString(9)
      .padStart(5, '0')
      .replace(/./g, (digit) => 'bcdfghjkl'[Number(digit)] ?? 'b')}`;
    windows.record([{ subject: subject(name), at: start + pod * 100, count: 1 }], start + pod * 100);
  }
  const now = start + 15_000;
  t.is(windows.size.pods, 100);
  t.is(
    folded.reduce((sum, pods) => sum + pods, 0),
    50,
  );
  for (const view of [windows.refresh(before, now), windows.view(question({ windowMs: 301_000 }), now)]) {
    t.deepEqual(numbers(view), { alerts: 150, infections: 100, newInfections: 100 });
    t.true(view.isLowerBound);
  }
  t.false(windows.view(question(), now + 300_000).isLowerBound);
});

test('rules beyond the bound keep their priority', (t) => {
  let overflowed = 0;
  const observer = { ...quiet, overflowed: () => overflowed++ };
  const windows = new AttackWindows({ observer, retentionMs: 24 * hour, mostSignatures: 10 });
  for (let rule = 0; rule < 50; rule++) {
    windows.record([{ subject: checkout('bbbbb', { rule: `rule ${rule}` }), at: start, count: 1 }], start);
  }
  t.is(windows.view(question(), start).alerts, 50);
  t.is(overflowed, 40);
  t.is(windows.view(question({ filter: { ...question().filter, rules: ['rule 49'] } }), start).alerts, 0);
});

test('forgets what is older than retention, and who has not been asked about', (t) => {
  const late: number[] = [];
  const windows = new AttackWindows({
    observer: { ...quiet, late: (alerts) => late.push(alerts) },
    retentionMs: 24 * hour,
  });
  windows.record([{ subject: checkout('bbbbb'), at: start, count: 1 }], start);
  windows.view(question(), start);
  windows.tidy(start + 25 * hour);
  t.deepEqual(windows.size, { pods: 0, workloads: 0, views: 0 });
  windows.record([{ subject: checkout('bbbbb'), at: start, count: 7 }], start + 25 * hour);
  t.deepEqual(late, [7]);
});

test('after the clock was set back by hours, what was counted still counts, and runs out soon', (t) => {
  const windows = new AttackWindows({ observer: quiet, retentionMs: 24 * hour });
  windows.view(question(), start);
  windows.record([{ subject: checkout('bbbbb'), at: start, count: 2 }], start);
  const now = start - 2 * hour;
  t.deepEqual(numbers(windows.view(question(), now)), { alerts: 2, infections: 1, newInfections: 1 });
  t.is(windows.view(question(), now + 299_000).alerts, 2);
  t.is(windows.view(question(), now + 601_000).alerts, 0);
});

const forward = fc.oneof(fc.nat(3_000), fc.nat(400_000), fc.nat(3 * hour));
const back = fc.oneof(
  fc.nat(400_000).map((ms) => -ms),
  fc.constant(-2 * hour),
);

test('counts what an oracle counts that keeps every alert, also while retention takes the old ones', (t) => {
  compare(forward, 3 * hour);
  t.pass();
});

test('counts what an oracle counts that keeps every alert, also when the clock is set back by up to 5 minutes', (t) => {
  compare(fc.oneof({ weight: 4, arbitrary: forward }, back), 1_000 * hour);
  t.pass();
});

/** Random alerts (late, early, repeated, with and without a UID) against windows of any length, asked at any time. */
function compare(moves: fc.Arbitrary<number>, retentionMs: number): void {
  const pods = [
    'checkout-7d9f8b6c5d-bbbbb',
    'checkout-7d9f8b6c5d-ccccc',
    'checkout-0',
    'cart-7d9f8b6c5d-ddddd',
  ];
  const subjects = pods.flatMap((pod) =>
    [undefined, 'u1', 'u2'].flatMap((podUid) =>
      (['Critical', 'Notice'] as const).map(
        (priority): AlertSubject => ({ ...subject(pod), podUid, priority, rule: `${priority} rule` }),
      ),
    ),
  );
  const step = fc.record({
    subject: fc.constantFrom(...subjects),
    lateMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, forward, back),
    count: fc.integer({ min: 1, max: 5 }),
    moveMs: moves,
    act: fc.constantFrom('record', 'record', 'record', 'ask', 'tidy'),
  });
  const asked = fc.record({
    windowMs: fc.constantFrom(10_000, 59_950, 60_000, 300_000, 600_000, 3_601_000, 2 * hour),
    kind: fc.constantFrom(undefined, 'deployment', 'statefulset'),
    minimumPriority: fc.constantFrom('Warning' as const, 'Debug' as const),
  });
  const property = fc.property(
    fc.array(step, { maxLength: 40 }),
    fc.array(asked, { minLength: 1, maxLength: 3 }),
    (steps, asks) => {
      const windows = new AttackWindows({ observer: quiet, retentionMs });
      const oracle = new Oracle(retentionMs);
      const questions = asks.map(({ windowMs, kind, minimumPriority }) =>
        question({
          windowMs,
          workload: { kind, name: 'checkout' },
          filter: { ...question().filter, minimumPriority },
        }),
      );
      let now = start;
      let latest = start;
      const check = () => {
        for (const one of questions) {
          deepStrictEqual(numbers(windows.view(one, now)), oracle.read(one, now));
        }
      };
      for (const { subject: of, lateMs, count, moveMs, act } of steps) {
        // Further back, what has been made coarser by age cannot be made fine again.
        now = Math.max(now + moveMs, latest - mostAheadMs);
        latest = Math.max(latest, now);
        if (act !== 'record') {
          if (act === 'tidy') windows.tidy(now);
          check();
          continue;
        }
        const entry: Entry = { subject: of, at: floorTo(100, now - lateMs), count };
        windows.record([entry], now);
        oracle.record(entry, now);
      }
      check();
    },
  );
  fc.assert(property, { numRuns: 300 });
}
