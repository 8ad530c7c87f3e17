import test from 'ava';
import { canonicalQuery } from '#src/sources/sysdig/promql/canonical.ts';

const rewritten: [string, string][] = [
  ['sum(a) # a note', 'sum(a)'],
  ['sum(\n# a note\na)', 'sum(\n\na)'],
  ['scalar(sum(a))', 'vector(scalar(sum(a)))'],
  ['1 + 2 # three', 'vector(1 + 2)'],
];

for (const [written, canonical] of rewritten) {
  test(`asks ${JSON.stringify(written)} as ${JSON.stringify(canonical)}`, (t) =>
    t.is(canonicalQuery(written), canonical));
}

for (const written of ['sum(a)', 'a{b="#c"}', 'a{b="c} # d', 'sum(a', '"a" # b"', 'a[5m]', 'a b # c', '']) {
  test(`leaves ${JSON.stringify(written)} as it is, but for comments`, (t) => {
    t.is(canonicalQuery(written), written === '"a" # b"' ? '"a"' : written);
  });
}
