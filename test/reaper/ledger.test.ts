import test from 'ava';
import type { Entry, Subject } from '#src/journal/entry.ts';
import { Ledger } from '#src/reaper/ledger.ts';
import { subject as alert } from '#test/journal/journal-entries.ts';

const owners = [
  { kind: 'replicaset', name: 'checkout-7d9f8b6c5d' },
  { kind: 'deployment', name: 'checkout' },
];
const minute = 60_000;
const key = 'shop/deployment/checkout';

function entry(subject: Subject, at: number): Entry {
  return { subject, at, count: 1 };
}

function decision(podUid: string, verdict: 'reap' | 'would-reap' | 'skip'): Subject {
  return {
    kind: 'decision',
    namespace: 'shop',
    pod: podUid,
    podUid,
    owners,
    rule: 'r',
    verdict,
    reason: 'infected',
  };
}

function reap(podUid: string): Subject {
  return {
    kind: 'reap',
    namespace: 'shop',
    pod: podUid,
    podUid,
    owners,
    how: 'evicted',
    rule: 'r',
    firstAlertAt: 0,
  };
}

test('an intention is open until it is known what became of it', (t) => {
  const ledger = new Ledger();
  ledger.record([
    entry(decision('a', 'reap'), 1),
    entry(decision('b', 'reap'), 2),
    entry(decision('c', 'skip'), 3),
  ]);
  t.deepEqual(
    ledger.intents.map(({ subject }) => subject.podUid),
    ['a', 'b'],
  );
  ledger.record([entry(reap('a'), 4)]);
  ledger.dropIntent('b');
  t.deepEqual(ledger.intents, []);
});

test('an intention that came to nothing is none any more', (t) => {
  const ledger = new Ledger();
  ledger.record([entry(decision('a', 'reap'), 1), entry(decision('a', 'skip'), 2)]);
  t.deepEqual(ledger.intents, []);
});

test('reaps count for their period, and those that dry-run only imagines count too', (t) => {
  const ledger = new Ledger();
  ledger.record([entry(reap('a'), 0), entry(decision('b', 'would-reap'), 2 * minute)]);
  const recent = (now: number) =>
    [...ledger.recent(5 * minute, now)].map(({ uid, workload }) => [uid, workload]);
  t.deepEqual(recent(3 * minute), [
    ['a', key],
    ['b', key],
  ]);
  t.deepEqual(recent(5 * minute), [['b', key]]);
  t.deepEqual(recent(7 * minute), []);
});

test('an attack keeps the replicas that it began with, until no alert has come for five minutes', (t) => {
  const ledger = new Ledger();
  const workload = { kind: 'deployment', name: 'checkout' };
  ledger.record([entry({ kind: 'attack', namespace: 'shop', workload, replicas: 6 }, 0)]);
  t.is(ledger.replicasBefore(key, 4 * minute), 6);
  const about = { ...alert('checkout-7d9f8b6c5d-bbbbb'), found: { uid: 'a', owners } };
  ledger.record([entry(about, 4 * minute)]);
  t.is(ledger.replicasBefore(key, 8 * minute), 6);
  t.is(ledger.replicasBefore(key, 9 * minute), undefined);
  t.is(ledger.replicasBefore('shop/deployment/other', 0), undefined);
});

test('a place is open until it is taken, or given up', (t) => {
  const ledger = new Ledger();
  ledger.record([entry(reap('a'), 0), entry(reap('b'), 0)]);
  ledger.record([
    entry(
      {
        kind: 'recreation',
        namespace: 'shop',
        pod: 'a',
        podUid: 'a',
        owners,
        outcome: 'ready',
        replacementUid: 'c',
        tookMs: 3_000,
        sinceAlertMs: 4_000,
      },
      3_000,
    ),
  ]);
  t.deepEqual(
    ledger.open.map(({ subject }) => subject.podUid),
    ['b'],
  );
});
