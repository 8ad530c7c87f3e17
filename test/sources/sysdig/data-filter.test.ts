import test from 'ava';
import fc from 'fast-check';
import { Failure } from '#src/failure.ts';
import { dataFilter, workloadFilter } from '#src/sources/sysdig/data-filter.ts';

const scope = {
  cluster: 'north',
  namespace: 'shop',
  workload: 'checkout',
  workloadType: 'deployment',
  service: undefined,
  filter: [],
};

test('names the workload and the conditions, in the notation of the Data API', (t) => {
  const filter = [{ label: 'kube_pod_name', operator: '!=', value: 'canary' }] as const;
  t.is(
    workloadFilter({ ...scope, filter }),
    "kubernetes.cluster.name = 'north' and kubernetes.namespace.name = 'shop' and kubernetes.workload.name = 'checkout'" +
      " and kubernetes.workload.type = 'deployment' and kubernetes.pod.name != 'canary'",
  );
});

test('names a service instead of a workload', (t) => {
  const service = {
    ...scope,
    cluster: undefined,
    workload: undefined,
    workloadType: undefined,
    service: 'api',
  };
  t.is(workloadFilter(service), "kubernetes.namespace.name = 'shop' and kubernetes.service.name = 'api'");
});

test('no value leaves its quotes', (t) => {
  const nasty = fc.oneof(
    fc.string({ unit: fc.constantFrom("'", '\\', '"', ' ', 'a', '=', ')') }),
    fc.string({ unit: 'grapheme' }).map((text) => text.replace(/\p{Cc}/gu, '')),
    fc.constantFrom("x' or kubernetes.namespace.name = 'other", "\\' or 1 = 1", '\\', "'"),
  );
  fc.assert(
    fc.property(nasty, nasty, (first, second) => {
      const filter = dataFilter([
        { label: 'a', operator: '=', value: first },
        { label: 'b', operator: '!=', value: second },
      ]);
      t.deepEqual(tokens(filter), ['a', '=', { text: first }, 'and', 'b', '!=', { text: second }]);
    }),
  );
});

test('regular expressions are refused, with the way out', (t) => {
  for (const operator of ['=~', '!~'] as const) {
    const failure = t.throws(() => dataFilter([{ label: 'kube_pod_name', operator, value: 'a.*' }]), {
      instanceOf: Failure,
    });
    t.is(failure.code, 'invalid');
    t.regex(failure.message, /expected = or != with api: data.*kube_pod_name.*use api: promql/);
  }
});

test('what is no label, and control characters, are refused', (t) => {
  for (const label of ["a = '1' or b", '', 'a b', '1a']) {
    t.throws(() => dataFilter([{ label, operator: '=', value: 'x' }]), { instanceOf: Failure });
  }
  t.throws(() => dataFilter([{ label: 'a', operator: '=', value: 'x\ny' }]), { instanceOf: Failure });
});

/** The filter language in small: words, operators and literals with backslash escapes; anything else is an error. */
function tokens(filter: string): (string | { text: string })[] {
  const token = /\s*(?:'((?:[^'\\]|\\.)*)'|([A-Za-z_][\w.]*|!?=))/suy;
  const found: (string | { text: string })[] = [];
  while (token.lastIndex < filter.length) {
    const match = token.exec(filter);
    if (match === null) throw new Error(`not a filter: ${filter}`);
    const [, quoted, word = ''] = match;
    found.push(quoted === undefined ? word : { text: quoted.replace(/\\(.)/gsu, '$1') });
  }
  return found;
}
