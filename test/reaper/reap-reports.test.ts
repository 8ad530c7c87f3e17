import test from 'ava';
import type { DecisionSubject } from '#src/journal/entry.ts';
import { ReapReports } from '#src/reaper/reap-reports.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { silentLog } from '#test/harness/silent-log.ts';

function setUp() {
  const clock = new ManualClock();
  const counted: string[] = [];
  const observer = {
    decided: (verdict: string, reason: string) => void counted.push(`${verdict} ${reason}`),
    reaped() {},
  };
  const self = { apiVersion: 'v1', kind: 'Lease', namespace: 'keda', name: 'x', uid: '' };
  const reports = new ReapReports({ events: { async write() {} }, observer, self, clock, log: silentLog });
  const decide = (verdict: DecisionSubject['verdict'], reason: string) =>
    reports.decided(
      { kind: 'decision', namespace: 'shop', pod: 'a', podUid: 'a', owners: [], rule: 'r', verdict, reason },
      undefined,
    );
  return { clock, counted, decide };
}

test('the same about the same pod is told once a minute, and counted each time', async (t) => {
  const { clock, counted, decide } = setUp();
  t.true(decide('skip', 'floor'));
  t.false(decide('skip', 'floor'));
  t.true(decide('skip', 'paused'));
  await clock.advance(60_000);
  t.true(decide('skip', 'paused'));
  t.is(counted.length, 4);
});

test('what became of an intention is told after each', (t) => {
  const { decide } = setUp();
  for (let tries = 0; tries < 3; tries++) {
    t.true(decide('reap', 'infected'));
    t.true(decide('skip', 'disruption-budget'));
  }
});
