import { status } from '@grpc/grpc-js';
import test from 'ava';
import { Failure, type FailureCode } from '#src/failure.ts';
import type { Sample } from '#src/sources/source.ts';
import { sample } from './settable-source.ts';
import { metricName, ref, refWith, startScaler } from './start-scaler.ts';

test('answers name and target both ways', async (t) => {
  const { connect } = await startScaler(t);
  const { metricSpecs } = await connect().getMetricSpec(refWith({ threshold: '0.5' }));
  t.deepEqual(metricSpecs, [{ metricName, targetSize: 1, targetSizeFloat: 0.5 }]);
});

test('answers one value, exact and rounded up', async (t) => {
  const { connect, source } = await startScaler(t);
  source.set(sample(22.222));
  const { metricValues } = await connect().getMetrics(ref, metricName);
  t.deepEqual(metricValues, [{ metricName, metricValue: 23, metricValueFloat: 22.222 }]);
});

test('carries negative and very large values', async (t) => {
  const { connect, source } = await startScaler(t);
  const client = connect();
  for (const [value, rounded] of [
    [-0.5, 0],
    [-7.5, -7],
    [9.1e15, 9.1e15],
  ] as const) {
    source.set(sample(value));
    const { metricValues } = await client.getMetrics(ref, metricName);
    t.deepEqual(metricValues, [{ metricName, metricValue: rounded, metricValueFloat: value }]);
  }
});

const expected: Record<FailureCode, status> = {
  invalid: status.INVALID_ARGUMENT,
  'not-found': status.NOT_FOUND,
  unauthenticated: status.UNAUTHENTICATED,
  'permission-denied': status.PERMISSION_DENIED,
  'rate-limited': status.RESOURCE_EXHAUSTED,
  deadline: status.DEADLINE_EXCEEDED,
  unavailable: status.UNAVAILABLE,
  internal: status.INTERNAL,
};
for (const [code, wire] of Object.entries(expected) as [FailureCode, status][]) {
  test(`tells ${code} as ${status[wire]}`, async (t) => {
    const { connect, source, heard } = await startScaler(t);
    source.answers(() => {
      throw new Failure(code, 'the reason – with “words”');
    });
    const details = code === 'internal' ? 'internal error' : 'the reason – with “words”';
    await t.throwsAsync(connect().getMetrics(ref, metricName), {
      code: wire,
      message: `${wire} ${status[wire]}: ${details}`,
    } as object);
    await t.throwsAsync(connect().isActive(ref), { code: wire } as object);
    t.deepEqual(heard.calls, [`GetMetrics ${status[wire]}`, `IsActive ${status[wire]}`]);
  });
}

test('an exception is INTERNAL, shows nothing of itself, and is reported with its trigger', async (t) => {
  const { connect, source, heard } = await startScaler(t);
  source.answers(() => {
    throw new TypeError('token is s3cret');
  });
  const error = await t.throwsAsync(connect().getMetrics(ref, metricName), {
    code: status.INTERNAL,
  } as object);
  t.false(error.message.includes('s3cret'));
  t.deepEqual(heard.failures, ['shop/checkout requests internal: internal error: token is s3cret']);
  source.set(sample(3));
  t.is((await connect().getMetrics(ref, metricName)).metricValues[0]?.metricValue, 3);
  t.deepEqual(heard.recoveries, ['shop/checkout requests']);
});

test('GetMetrics and IsActive come from one sample', async (t) => {
  const { connect, source, clock } = await startScaler(t);
  const client = connect();
  source.answers(sample(4));
  await client.getMetrics(ref, metricName);
  source.answers(sample(0));
  t.true(await client.isActive(ref));
  t.is(source.measured, 1);
  await clock.advance(5_000);
  t.false(await client.isActive(ref));
  t.is(source.measured, 2);
});

test('an unknown metric name is NOT_FOUND and learns the name that exists', async (t) => {
  const { connect } = await startScaler(t);
  await t.throwsAsync(connect().getMetrics(ref, 'reqests'), {
    code: status.NOT_FOUND,
    message: /expected "requests", the one metric of this trigger, got "reqests"/,
  } as object);
});

test('a refused trigger answers its spec, and what is wrong with it elsewhere', async (t) => {
  const { connect } = await startScaler(t);
  const client = connect();
  const refused = refWith({ refuse: 'window: expected 10s to 24h, got "5"; onError: expected …' });
  t.is((await client.getMetricSpec(refused)).metricSpecs[0]?.targetSize, 10);
  const error = {
    code: status.INVALID_ARGUMENT,
    message: /window: expected 10s to 24h, got "5"; onError: expected …/,
  };
  await t.throwsAsync(client.getMetrics(refused, metricName), error as object);
  await t.throwsAsync(client.isActive(refused), error as object);
});

test('an unreadable trigger is refused everywhere', async (t) => {
  const { connect } = await startScaler(t);
  const client = connect();
  const unreadable = refWith({ unreadable: 'source: expected sysdig or falco, got nothing' });
  const error = { code: status.INVALID_ARGUMENT, message: /source: expected sysdig or falco/ } as object;
  await t.throwsAsync(client.getMetricSpec(unreadable), error);
  await t.throwsAsync(client.getMetrics(unreadable, metricName), error);
  await t.throwsAsync(client.isActive(unreadable), error);
  t.is((await client.streamIsActive(unreadable).ended).code, status.INVALID_ARGUMENT);
  t.is((await client.streamMetricSpec(unreadable).ended).code, status.INVALID_ARGUMENT);
});

test('gives up in time, says what it waited for, and answers once the flight has landed', async (t) => {
  const { connect, source, clock } = await startScaler(t);
  const client = connect();
  const flight = Promise.withResolvers<Sample>();
  source.answers(flight.promise);
  const first = client.getMetrics(ref, metricName);
  first.catch(() => {});
  while (source.measured === 0) await turn();
  await clock.advance(2_000);
  await t.throwsAsync(first, {
    code: status.DEADLINE_EXCEEDED,
    message: /no answer within 2 s: waiting for the answer to requests/,
  } as object);
  // A poll goes on with IsActive: it must not wait for another 2 s.
  await t.throwsAsync(client.isActive(ref), { code: status.DEADLINE_EXCEEDED } as object);

  flight.resolve(sample(6));
  await turn();
  t.true(await client.isActive(ref));
  t.is((await client.getMetrics(ref, metricName)).metricValues[0]?.metricValue, 6);
});

test('a flight that fails after its caller has gone disturbs nobody', async (t) => {
  const { connect, source, clock } = await startScaler(t);
  const client = connect();
  const flight = Promise.withResolvers<Sample>();
  source.answers(flight.promise);
  const late = client.getMetrics(ref, metricName);
  late.catch(() => {});
  while (source.measured === 0) await turn();
  await clock.advance(2_000);
  await t.throwsAsync(late);
  flight.reject(new Failure('unavailable', 'Sysdig is down'));
  await turn();
  source.set(sample(2));
  t.true(await client.isActive(ref));
});

test('a client that cancels ends only its waiting', async (t) => {
  const { connect, source, heard } = await startScaler(t);
  const client = connect();
  const flight = Promise.withResolvers<Sample>();
  source.answers(flight.promise);
  const controller = new AbortController();
  const cancelled = client.getMetrics(ref, metricName, controller.signal);
  cancelled.catch(() => {});
  while (source.measured === 0) await turn();
  controller.abort();
  await t.throwsAsync(cancelled, { code: status.CANCELLED } as object);
  while (heard.calls.length === 0) await turn();
  const waiting = client.getMetrics(ref, metricName);
  flight.resolve(sample(8));
  t.is((await waiting).metricValues[0]?.metricValue, 8);
  t.deepEqual(heard.calls, ['GetMetrics CANCELLED', 'GetMetrics OK']);
  t.deepEqual(heard.failures, []);
});

test('1 MB of metadata arrives, and a long answer fits its trailer', async (t) => {
  const { connect } = await startScaler(t);
  const client = connect();
  const huge = refWith({
    padding: 'x'.repeat(1024 * 1024),
    refuse: `metadata: expected at most 64 KiB. ${'“ü”%'.repeat(5_000)}`,
  });
  t.is((await client.getMetricSpec(huge)).metricSpecs.length, 1);
  const error = await t.throwsAsync(client.getMetrics(huge, metricName), {
    code: status.INVALID_ARGUMENT,
  } as object);
  t.regex(error.message, /metadata: expected at most 64 KiB.*… \(cut\)$/);
  t.true(encodeURI(error.message).length < 8_192);
});

test('half a surrogate pair in a message does not break the answer', async (t) => {
  const { connect } = await startScaler(t);
  await t.throwsAsync(connect().getMetrics(ref, '\ud83d'.repeat(3)), { code: status.NOT_FOUND } as object);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
