import test from 'ava';
import type { Entry, Subject } from '#src/journal/entry.ts';
import { Arming } from '#src/reaper/arming.ts';
import { Ledger } from '#src/reaper/ledger.ts';

const hour = 3_600_000;

function setUp(rearmAfterMs?: number) {
  const ledger = new Ledger();
  const written: Entry[] = [];
  const world = { now: 1_000_000 };
  const write = (subject: Subject) => {
    const entry = { subject, at: world.now, count: 1 };
    written.push(entry);
    ledger.record([entry]);
  };
  const reports = { disarmed() {}, rearmed() {} };
  return { arming: new Arming({ ledger, reports, write, rearmAfterMs }), ledger, written, world };
}

test('five workloads or twenty pods in a minute are believed, more are not', (t) => {
  const { arming, world } = setUp();
  for (let n = 0; n < 5; n++) arming.strike('wide', `pod-${n}`, `workload-${n}`, world.now);
  t.false(arming.isDisarmed('wide'));
  arming.strike('wide', 'pod-5', 'workload-5', world.now);
  t.true(arming.isDisarmed('wide'));
  for (let n = 0; n < 20; n++) arming.strike('deep', `pod-${n}`, 'workload', world.now);
  // The same pod again is no other.
  arming.strike('deep', 'pod-3', 'workload', world.now);
  t.false(arming.isDisarmed('deep'));
  arming.strike('deep', 'pod-20', 'workload', world.now);
  t.true(arming.isDisarmed('deep'));
});

test('what happens over a longer time is believed', (t) => {
  const { arming, world } = setUp();
  for (let n = 0; n < 30; n++) arming.strike('slow', `pod-${n}`, `workload-${n}`, world.now + n * 15_000);
  t.false(arming.isDisarmed('slow'));
});

test('a disarmed rule stays so over a restart, until somebody arms it again', (t) => {
  const { arming, written, world } = setUp();
  for (let n = 0; n < 6; n++) arming.strike('wide', `pod-${n}`, `workload-${n}`, world.now);
  const later = setUp();
  later.ledger.record(written);
  t.true(later.arming.isDisarmed('wide'));
  t.true(later.arming.rearm('wide', 'somebody said so'));
  t.false(later.arming.isDisarmed('wide'));
  t.false(later.arming.rearm('wide', 'again'));
});

test('it is written down again before the journal forgets it, and armed again when its time is over', (t) => {
  const { arming, written, world } = setUp(5 * hour);
  for (let n = 0; n < 6; n++) arming.strike('wide', `pod-${n}`, `workload-${n}`, world.now);
  t.is(written.length, 1);
  for (let n = 0; n < 4; n++) {
    world.now += hour;
    arming.upkeep(world.now);
    arming.upkeep(world.now);
  }
  t.is(written.length, 5);
  world.now += hour;
  arming.upkeep(world.now);
  t.false(arming.isDisarmed('wide'));
});
