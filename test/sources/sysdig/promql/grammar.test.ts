import test from 'ava';
import { readExpression } from '#src/sources/sysdig/promql/grammar.ts';

const vectors = [
  'up',
  'sum(rate(http_requests_total{code="500"}[1m]))',
  'sum by (pod) (a) / on(pod) group_left b',
  'a > bool 5',
  '-a',
  'vector(1)',
  'topk(3, a)',
  'count_values("version", a)',
  'quantile_over_time(0.9, a[5m])',
  'max_over_time(sum(a)[10m:1m])',
  'sum(\n  a\n)',
  'a or vector(0)',
  'a{b="#not a comment"}',
  'a offset 5m',
  'scalar(a) * b',
  'histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m])))',
];

for (const text of vectors) {
  test(`takes ${JSON.stringify(text)} for one instant vector that may share a request`, (t) => {
    t.true(readExpression(text)?.shareable);
  });
}

const others = [
  '',
  '1',
  '"a"',
  'inf',
  'time()',
  'pi()',
  'start()',
  'scalar(a)',
  '1 + 2',
  '1 > bool 2',
  'a[5m]',
  'a[5m:]',
  'rate(a)',
  'abs(a[5m])',
  'sum(5)',
  'a and 1',
  '(a',
  'a)',
  'a b',
  'a # comment',
  'a{b="c}',
  '"abc',
  "a{b='c\n}",
  'a smoothed',
  'sum(a[5m+5m])',
  'nosuch(a)',
  'vector(0),"q","1","","") or label_replace(vector(5)',
];

for (const text of others) {
  test(`does not take ${JSON.stringify(text)} for an instant vector`, (t) => {
    t.is(readExpression(text), undefined);
  });
}

for (const text of ['a{b=~"5\\\\d"}', 'a{b=`c`}', 'a{b="é"}', 'a\t', 'a{b="c\td"}', 'a\r\n']) {
  test(`lets ${JSON.stringify(text)} travel only by itself`, (t) => {
    t.false(readExpression(text)?.shareable);
  });
}

test('does not read what is longer than anybody writes', (t) => {
  t.is(readExpression(`sum(a{b="${'x'.repeat(20_000)}"})`), undefined);
});

test('names the metrics that are read', (t) => {
  t.deepEqual(readExpression('sum(rate(a[1m])) / sum(b) + a')?.metrics, ['a', 'b']);
  t.deepEqual(readExpression('vector(1)')?.metrics, []);
});

for (const text of ['{__name__="a"}', '{__name__=~"a.*"}', '{job="a"}', 'a + {"b.c"}', 'info(a)']) {
  test(`knows that ${text} does not name its metrics`, (t) => {
    t.is(readExpression(text)?.metrics, undefined);
    t.truthy(readExpression(text));
  });
}

test('tells how far each selector reaches back', (t) => {
  t.deepEqual(readExpression('a{x="y"} + rate(b[90s]) + max_over_time(c[10m:1m])')?.selectors, [
    { text: 'a{x="y"}', reachMs: 300_000, ranged: false },
    { text: 'b', reachMs: 90_000, ranged: true },
    { text: 'c', reachMs: 900_000, ranged: false },
  ]);
});

test('leaves out selectors that are moved on purpose', (t) => {
  t.deepEqual(readExpression('a offset 1h + b @ 5 + rate(c[1m] offset 1h)')?.selectors, []);
});

test('reads ranges in every notation', (t) => {
  const reach = (range: string) => readExpression(`rate(a[${range}])`)?.selectors[0]?.reachMs;
  t.is(reach('1h30m'), 5_400_000);
  t.is(reach('60'), 60_000);
  t.is(reach('500ms'), 500);
});
