import test from 'ava';
import fc from 'fast-check';
import { parseFilter } from '#src/triggers/filter.ts';

test('every value that can be quoted comes back as it was', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom('"', "'"), (value, quote) => {
      if (value.includes('\n')) return;
      const escaped = value
        .replace(/["'\\]/g, '\\$&')
        .replaceAll(quote === '"' ? "\\'" : '\\"', quote === '"' ? "'" : '"');
      t.deepEqual(parseFilter(`a=${quote}${escaped}${quote}`), [{ label: 'a', operator: '=', value }]);
    }),
  );
});

test('takes nothing but conditions', (t) => {
  for (const text of [
    '',
    'a',
    'a=b',
    'a="b",',
    ',a="b"',
    'a="b" c="d"',
    'a="b"} or m{',
    'a=="b"',
    '1a="b"',
    'a="b\nc"',
    'a="\\n"',
  ]) {
    t.is(parseFilter(text), undefined, text);
  }
});
