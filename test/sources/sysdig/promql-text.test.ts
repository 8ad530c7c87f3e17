import { parser } from '@prometheus-io/lezer-promql';
import test from 'ava';
import fc from 'fast-check';
import { Failure } from '#src/failure.ts';
import { matcher, oneOf, quote } from '#src/sources/sysdig/promql-text.ts';
import { startPrometheus } from '#test/harness/prometheus.ts';

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('"', '\\', "'", '`', '\n', '\r', '\0', '}', '{', ',', '|', '.', '$', 'a'),
  }),
  fc.constantFrom('"} or vector(1) #', '\\"', '\\', 'a\\', '"', '\u2028', '\u007f', '.*', 'a|b', 'x\ny'),
);

test('a quoted text is one string literal that stands for the same text', (t) => {
  fc.assert(
    fc.property(nasty, (text) => {
      const strings = stringsIn(`m{l=${quote(text)}}`);
      t.deepEqual(strings, [text]);
    }),
  );
});

test('a matcher stays one matcher, whatever its value holds', (t) => {
  const operator = fc.constantFrom('=', '!=', '=~', '!~');
  fc.assert(
    fc.property(nasty, operator, (value, operator) => {
      const strings = stringsIn(`m{a="1",${matcher({ label: 'l', operator, value })},b="2"}`);
      t.deepEqual(strings, ['1', value, '2']);
    }),
  );
});

test('alternatives match each of their names and nothing else', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(nasty, { minLength: 2, maxLength: 4 }), nasty, (names, other) => {
      const [pattern = ''] = stringsIn(`m{${oneOf('l', names)}}`);
      const anchored = new RegExp(`^(?:${pattern})$`, 'su');
      for (const name of names) t.true(anchored.test(name), name);
      t.is(anchored.test(other), names.includes(other));
    }),
  );
});

test('one name is matched by equality, and a repeated name counts once', (t) => {
  t.is(oneOf('kube_workload_name', ['a.b', 'a.b']), 'kube_workload_name="a.b"');
  t.is(oneOf('kube_workload_name', ['a.b', 'c']), 'kube_workload_name=~"a\\\\.b|c"');
});

test('a label that is no PromQL name is refused, as is an empty list of names', (t) => {
  const error = t.throws(() => matcher({ label: 'a="1",b', operator: '=', value: '' }), {
    instanceOf: Failure,
  });
  t.is(error.code, 'invalid');
  t.is(t.throws(() => oneOf('l', []), { instanceOf: Failure }).code, 'internal');
});

test('a real Prometheus reads the same texts back', async (t) => {
  const names = [
    'a.b',
    'a|b',
    '(x)[y]{2}^$',
    'back\\slash',
    'quo"te',
    'line\nbreak',
    'ünï',
    '\u0001\u007f',
    '+*?',
    '-',
  ];
  const now = Math.floor(Date.now() / 1000);
  const series = [...names, 'axb', 'a', 'b'].map((name) => {
    return { name: 'thing', labels: { l: name }, points: [[now, 1] as const] };
  });
  const prometheus = await startPrometheus({ series });
  t.teardown(() => prometheus.stop());
  const ask = async (query: string) => {
    const body = new URLSearchParams({ query });
    const answer = await fetch(`${prometheus.baseUrl}/prometheus/api/v1/query`, { method: 'POST', body });
    const { data } = (await answer.json()) as { data: { result: { metric: { l: string } }[] } };
    return data.result.map(({ metric }) => metric.l).sort();
  };
  t.deepEqual(await ask(`thing{${oneOf('l', names)}}`), [...names].sort());
  for (const name of names) t.deepEqual(await ask(`thing{${oneOf('l', [name])}}`), [name]);
});

/** The string literals of an expression, decoded; fails where the grammar finds anything wrong. */
function stringsIn(expression: string): string[] {
  const found: string[] = [];
  parser.parse(expression).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`not PromQL: ${expression}`);
      if (node.name === 'StringLiteral') found.push(decode(expression.slice(node.from, node.to)));
    },
  });
  return found;
}

function decode(literal: string): string {
  const letters: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
  return literal.slice(1, -1).replace(/\\(?:x([0-9a-f]{2})|(.))/gs, (_, hex, letter) => {
    return hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (letters[letter] ?? letter);
  });
}
