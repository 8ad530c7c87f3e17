import test from 'ava';
import { Docket } from '#src/reaper/docket.ts';
import { type Suspect, suspectOf } from '#src/reaper/suspect.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { silentLog } from '#test/harness/silent-log.ts';
import { subject } from '#test/journal/journal-entries.ts';

function setUp(
  judge: (due: readonly Suspect[], docket: Docket) => void = (due, docket) => {
    for (const one of due) docket.remove(one);
  },
) {
  const clock = new ManualClock();
  const rounds: string[][] = [];
  const docket: Docket = new Docket({
    maxAlertAgeMs: 60_000,
    async judge(due) {
      rounds.push(due.map(({ pod }) => pod));
      judge(due, docket);
    },
    clock,
    log: silentLog,
  });
  const enter = (pod: string, at = clock.now()) => docket.enter(suspectOf(subject(pod), at));
  return { clock, docket, rounds, enter };
}

test('what comes within a tenth of a second is judged together', async (t) => {
  const { clock, rounds, enter } = setUp();
  enter('a');
  await clock.advance(50);
  enter('b');
  enter('a');
  await clock.advance(49);
  t.deepEqual(rounds, []);
  await clock.advance(1);
  t.deepEqual(rounds, [['a']]);
  await clock.advance(100);
  t.deepEqual(rounds, [['a'], ['b']]);
});

test('what is too old is not taken on, and what grows too old is let go', async (t) => {
  const { clock, rounds, enter } = setUp((due, docket) => {
    for (const one of due) docket.later(one);
  });
  t.false(enter('old', clock.now() - 60_001));
  t.true(enter('a'));
  await clock.advance(300_000);
  // After 0.1, 1.1, 3.1, 7.1, 15.1, 30.1, 45.1 s; then its alert is older than a minute.
  t.is(rounds.flat().length, 8 - 1);
});

test('alerts that go on keep a suspect fresh', async (t) => {
  const { clock, rounds, enter } = setUp((due, docket) => {
    for (const one of due) docket.again(one, 60_000);
  });
  for (let minute = 0; minute < 5; minute++) {
    enter('a');
    await clock.advance(60_000);
  }
  t.true(rounds.flat().length >= 4);
});

test('a take-over looks at all of them at once', async (t) => {
  const { clock, docket, rounds, enter } = setUp((due, docket_) => {
    for (const one of due) docket_.again(one, 30_000);
  });
  enter('a');
  await clock.advance(100);
  docket.hurry();
  await clock.advance(0);
  t.deepEqual(rounds, [['a'], ['a']]);
});
