import test from 'ava';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '#src/fields/duration.ts';

test('reads what people write', (t) => {
  t.is(parseDuration('90s'), 90_000);
  t.is(parseDuration('1h30m'), 5_400_000);
  t.is(parseDuration('250ms'), 250);
  t.is(parseDuration('1d'), 86_400_000);
});

test('takes nothing else', (t) => {
  for (const text of ['', '5', '5 m', '-5m', '5M', '1.5h', 'm', '5mm', '1e3s', ' 5m', `${'9'.repeat(40)}d`]) {
    t.is(parseDuration(text), undefined, text);
  }
});

test('what it writes it reads', (t) => {
  fc.assert(fc.property(fc.nat(), (ms) => parseDuration(formatDuration(ms)) === ms));
  t.pass();
});
