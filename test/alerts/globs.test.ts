import test from 'ava';
import fc from 'fast-check';
import { compileGlobs } from '#src/alerts/globs.ts';

const cases: [patterns: string[], meant: string[], other: string[]][] = [
  [[], ['', 'anything'], []],
  [['Write below etc'], ['Write below etc'], ['write below etc', 'Write below etc2']],
  [['Write below *'], ['Write below etc', 'Write below '], ['Write below', 'Read below etc']],
  [['*binary*'], ['Drop and execute new binary in container', 'binary'], ['binar']],
  [['a?c'], ['abc', 'a,c'], ['ac', 'abbc']],
  [['!network'], ['process', ''], ['network']],
  [['mitre_*', '!mitre_discovery'], ['mitre_persistence'], ['mitre_discovery', 'network']],
  [['*'], ['', 'x'], []],
];

for (const [patterns, meant, other] of cases) {
  test(`[${patterns.join(', ')}]`, (t) => {
    const globs = compileGlobs(patterns);
    for (const text of meant) t.true(globs(text), text);
    for (const text of other) t.false(globs(text), text);
  });
}

test('agrees with a regular expression, and takes no longer for hostile patterns', (t) => {
  const letters = fc
    .array(fc.constantFrom('a', 'b', '*', '?', '.'), { maxLength: 8 })
    .map((all) => all.join(''));
  const text = fc.array(fc.constantFrom('a', 'b', '.'), { maxLength: 10 }).map((all) => all.join(''));
  fc.assert(
    fc.property(letters, text, (pattern, given) => {
      const expression = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
      return compileGlobs([pattern])(given) === new RegExp(`^${expression}$`).test(given);
    }),
  );
  t.false(compileGlobs([`${'a*'.repeat(60)}b`])('a'.repeat(5_000)));
});
