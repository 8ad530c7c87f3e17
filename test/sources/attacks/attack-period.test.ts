import test from 'ava';
import fc from 'fast-check';
import { isWithin, latestPeriod } from '#src/sources/attacks/attack-period.ts';

const minute = 60_000;

test('an attack lasts until no alert has come for the window', (t) => {
  const period = latestPeriod([1_000_000, 1_100_000], 5 * minute);
  t.deepEqual(period, { first: 1_000_000, from: undefined, to: 1_400_000 });
  t.is(latestPeriod([], minute), undefined);
});

test('the next begins a minute after the end at the earliest, and lasts a minute at least', (t) => {
  const end = 1_000_000 + minute;
  t.deepEqual(latestPeriod([1_000_000, end + 500], minute), {
    first: end + 500,
    from: end + minute,
    to: end + 2 * minute,
  });
  t.deepEqual(latestPeriod([1_000_000, end + 2 * minute], minute), {
    first: end + 2 * minute,
    from: undefined,
    to: end + 3 * minute,
  });
});

test('an alert of a clock that is ahead counts at once', (t) => {
  const period = latestPeriod([2_000_000], minute);
  t.true(period !== undefined && isWithin(period, 1_900_000));
});

test('two changes are never less than a minute apart, and no alert goes without an attack that follows', (t) => {
  const gaps = fc.array(fc.oneof(fc.nat(500), fc.nat(4 * minute)), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: minute, max: 5 * minute }), (gapsMs, windowMs) => {
      const times: number[] = [];
      let at = 10_000_000;
      for (const gap of gapsMs) {
        at += gap;
        times.push(at);
      }
      // As it is seen while the alerts come, every half second.
      let [was, changedAt] = [false, Number.NEGATIVE_INFINITY];
      for (let now = 10_000_000; now < at + windowMs + 3 * minute; now += 500) {
        const known = times.filter((time) => time <= now);
        const period = latestPeriod(known, windowMs);
        const is = period !== undefined && isWithin(period, now);
        if (is === was) continue;
        if (now - changedAt < minute - 500) return false;
        [was, changedAt] = [is, now];
      }
      return !was;
    }),
    { numRuns: 60 },
  );
  t.pass();
});
