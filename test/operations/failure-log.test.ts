import test from 'ava';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import { FailureLog } from '#src/operations/failure-log.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';

type Line = [level: string, message: string, fields: Record<string, unknown>];

function heard() {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push([level, message, fields as Record<string, unknown>]);
  };
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const clock = new ManualClock();
  return { lines, clock, failures: new FailureLog(log, clock) };
}

const down = (seconds = 1) => new Failure('unavailable', `Sysdig is down, next try in ${seconds} s`);

test('the first failure is told at once, with its reason', (t) => {
  const { lines, failures } = heard();
  failures.failed('shop/checkout requests', down());
  t.deepEqual(lines, [
    [
      'warn',
      'cannot answer',
      { trigger: 'shop/checkout requests', code: 'unavailable', reason: 'Sysdig is down, next try in 1 s' },
    ],
  ]);
});

test('repeats are one summary every five minutes, whatever numbers stand in their texts', async (t) => {
  const { lines, clock, failures } = heard();
  for (let minute = 0; minute < 11; minute++) {
    for (let second = 0; second < 6; second++) failures.failed('a', down(second));
    await clock.advance(60_000);
  }
  t.is(lines.length, 3);
  t.like(lines[1]?.[2], { repeats: 30, failingForSeconds: 300 });
});

test('another kind of failure is told at once', (t) => {
  const { lines, failures } = heard();
  failures.failed('a', down());
  failures.failed('a', new Failure('unauthenticated', 'wrong token'));
  t.deepEqual(
    lines.map(([, , { code }]) => code),
    ['unavailable', 'unauthenticated'],
  );
});

test('the recovery is told once, with how long it took', async (t) => {
  const { lines, clock, failures } = heard();
  failures.failed('a', down());
  await clock.advance(42_000);
  failures.succeeded('a');
  failures.succeeded('a');
  failures.succeeded('b');
  t.deepEqual(lines.slice(1), [['info', 'answers again', { trigger: 'a', failedForSeconds: 42 }]]);
});

test('an outage of all triggers is ten lines a minute and the count of the rest', async (t) => {
  const { lines, clock, failures } = heard();
  for (let index = 0; index < 300; index++) failures.failed(`s-${index}`, down());
  t.is(lines.length, 10);
  await clock.advance(60_000);
  t.deepEqual(lines.at(-1), [
    'warn',
    'cannot answer: so many more within a minute; /status names them',
    { more: 290 },
  ]);
  for (let index = 0; index < 300; index++) failures.succeeded(`s-${index}`);
  await clock.advance(60_000);
  t.is(lines.length, 10 + 1 + 10 + 1);
});

test('a Sysdig that hangs is one trouble, however it shows', (t) => {
  const { lines, failures } = heard();
  failures.failed('a', new Failure('deadline', 'no answer within 2 s'));
  failures.failed('a', new Failure('unavailable', 'Sysdig has not answered within 30 s'));
  t.is(lines.length, 1);
});

test('a defect is an error, with its stack', (t) => {
  const { lines, failures } = heard();
  failures.failed('a', Failure.from(new TypeError('x is not a function')));
  t.is(lines[0]?.[0], 'error');
  t.regex(String(lines[0]?.[2]['stack']), /TypeError: x is not a function/);
});

test('a flood of subjects does not fill the memory', (t) => {
  const { lines, failures } = heard();
  for (let index = 0; index < 20_001; index++) failures.failed(`s-${index}`, down());
  lines.length = 0;
  failures.succeeded('s-0');
  failures.succeeded('s-20000');
  t.deepEqual(
    lines.map(([, , { trigger }]) => trigger),
    ['s-20000'],
  );
});
