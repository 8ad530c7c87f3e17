import test from 'ava';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import { sample } from './settable-source.ts';
import { assemble, metricName, parse, ref, refWith } from './start-scaler.ts';

const stranger = { authenticated: false };
const known = { authenticated: true };

test('reads a trigger once, whatever order its metadata comes in', (t) => {
  let parsed = 0;
  const { answers } = assemble({
    parse: (asked) => {
      parsed += 1;
      return parse(asked);
    },
  });
  const { source = '', threshold = '', query = '' } = ref.scalerMetadata;
  answers.metricSpec({ ...ref, scalerMetadata: { source, threshold, query } });
  answers.metrics({ ...ref, scalerMetadata: { query, threshold, source } }, metricName, stranger);
  t.is(parsed, 1);
  answers.metricSpec(refWith({ threshold: '11' }));
  t.is(parsed, 2);
});

test('answers at once from memory, without a promise', (t) => {
  const { answers } = assemble();
  t.deepEqual(answers.metrics(ref, metricName, stranger), {
    metricName,
    metricValue: 1,
    metricValueFloat: 1,
  });
  t.true(answers.isActive(ref, stranger));
});

test('what an authenticated asker was told is not told to a stranger', (t) => {
  const { answers, source } = assemble();
  answers.metrics(ref, metricName, known);
  source.answers(() => {
    throw new Failure('permission-denied', 'not for strangers');
  });
  t.throws(() => answers.isActive(ref, stranger), { message: 'not for strangers' });
  t.true(answers.isActive(ref, known));
});

test('whoever asks for a trigger that the ScaledObject carries is as good as known', (t) => {
  const carried = new Set(['checkout']);
  const { answers, source } = assemble({ isCarried: ({ name }) => carried.has(name) });
  const asked: boolean[] = [];
  source.measure = (_, asker) => {
    asked.push(asker.authenticated);
    return sample(1);
  };
  answers.metrics(ref, metricName, stranger);
  carried.clear();
  answers.metrics(ref, metricName, stranger);
  answers.metrics(ref, metricName, known);
  t.deepEqual(asked, [true, false, true]);
});

test('IsActive alone measures for itself', (t) => {
  const { answers, source } = assemble();
  t.true(answers.isActive(ref, stranger));
  source.answers(sample(0));
  t.false(answers.isActive(ref, stranger));
});

test('a metric name is known by its letters, whatever their case', (t) => {
  const { answers } = assemble();
  t.like(answers.metrics(ref, 'REQUESTS', stranger), { metricName: 'REQUESTS', metricValue: 1 });
});

test('a number that Kubernetes cannot hold is a failure', (t) => {
  const { answers, source } = assemble();
  for (const value of [9.3e15, -9.3e15, Number.POSITIVE_INFINITY, Number.NaN]) {
    source.answers({ ...sample(1), value });
    t.throws(() => answers.metrics(refWith({ value: String(value) }), metricName, stranger), {
      message: /^value: expected a number between -9.2e15 and 9.2e15/,
    });
  }
});

test('an unreadable trigger is logged once for each ScaledObject and reason', (t) => {
  const warnings: string[] = [];
  const log: Log = { debug() {}, info() {}, warn: (_fields, message) => warnings.push(message), error() {} };
  const { answers, heard } = assemble({ log, capacity: 2 });
  for (let i = 0; i < 10; i++) {
    t.throws(() => answers.metricSpec(refWith({ unreadable: 'no source', pad: String(i) })));
  }
  t.throws(() => answers.metricSpec({ ...refWith({ unreadable: 'no source' }), name: 'cart' }));
  t.throws(() => answers.metricSpec(refWith({ unreadable: 'no threshold' })));
  t.deepEqual(warnings, [
    'GetMetricSpec refused: no source',
    'GetMetricSpec refused: no source',
    'GetMetricSpec refused: no threshold',
  ]);
  t.deepEqual(heard.failures, []);
});

test('reports failures, and only the first success after one', (t) => {
  const { answers, source, heard, clock } = assemble();
  answers.metrics(ref, metricName, stranger);
  t.deepEqual(heard.recoveries, []);
  source.answers(() => {
    throw new Failure('unavailable', 'Sysdig is down');
  });
  for (let i = 0; i < 2; i++) t.throws(() => answers.metrics(ref, metricName, stranger));
  t.is(heard.failures.length, 2);
  source.answers(sample(1));
  for (let i = 0; i < 2; i++) answers.metrics(ref, metricName, stranger);
  t.deepEqual(heard.recoveries, ['shop/checkout requests']);
  t.like(answers.statuses()[0], { lastError: 'Sysdig is down', lastErrorAt: clock.now() });
});

test('statuses tell where each trigger stands', (t) => {
  const { answers, clock } = assemble();
  answers.metrics(ref, metricName, stranger);
  t.throws(() => answers.metrics(refWith({ refuse: 'wrong' }), metricName, stranger));
  const shared = {
    namespace: 'shop',
    name: 'checkout',
    metricName,
    source: 'sysdig',
    target: 10,
    askedAt: clock.now(),
  };
  const unknown = {
    value: undefined,
    at: undefined,
    active: undefined,
    origin: undefined,
    inputs: undefined,
  };
  const { at } = sample(1);
  t.deepEqual(answers.statuses(), [
    {
      ...shared,
      value: 1,
      at,
      active: true,
      origin: 'measured',
      inputs: undefined,
      lastError: undefined,
      lastErrorAt: undefined,
    },
    { ...shared, ...unknown, lastError: 'wrong', lastErrorAt: clock.now() },
  ]);
});

test('remembers a bounded number of triggers', (t) => {
  const { answers } = assemble({ capacity: 100 });
  for (let i = 0; i < 1_000; i++) answers.metrics({ ...ref, name: `w${i}` }, metricName, stranger);
  t.true(answers.statuses().length <= 100);
  t.is(answers.statuses().at(-1)?.name, 'w999');
});

test('one huge trigger does not push out the others', (t) => {
  const { answers } = assemble();
  answers.metrics(ref, metricName, stranger);
  for (let i = 0; i < 40; i++) {
    answers.metricSpec({ ...refWith({ pad: 'x'.repeat(1024 * 1024) }), name: `huge${i}` });
  }
  t.deepEqual(
    answers.statuses().map(({ name }) => name),
    ['checkout'],
  );
});

test('a parser that throws is a defect of ours, not a crash', (t) => {
  const { answers } = assemble({
    parse: () => {
      throw new RangeError('oops');
    },
  });
  t.throws(() => answers.metricSpec(ref), { instanceOf: Failure, message: 'internal error: oops' });
  t.throws(() => answers.metrics(ref, metricName, stranger), { instanceOf: Failure });
});
