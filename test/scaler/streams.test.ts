import { status } from '@grpc/grpc-js';
import test from 'ava';
import { sample } from './settable-source.ts';
import { ref, refWith, startScaler } from './start-scaler.ts';

test('sends the current activity when the stream opens, and each change to active at once', async (t) => {
  const { connect, source, clock } = await startScaler(t);
  source.set(sample(1));
  const stream = connect().streamIsActive(ref);
  t.deepEqual(await stream.received(1), [{ result: true }]);

  source.set(sample(0));
  await clock.advance(10_000);
  source.set(sample(2));
  t.deepEqual(await stream.received(2), [{ result: true }, { result: true }]);
});

test('sends nothing while inactive, and never a false', async (t) => {
  const { connect, source, clock, heard } = await startScaler(t);
  source.set(sample(1));
  const stream = connect().streamIsActive(ref);
  await stream.received(1);
  source.set(sample(0));
  await clock.advance(3_600_000);
  t.is(heard.pushes.length, 1);
  source.set(sample(1));
  await stream.received(2);
  t.true(stream.messages.every(({ result }) => result));
});

test('repeats about every 30 s while activity lasts, with jitter', async (t) => {
  for (const [random, expected] of [
    [0, 24_000],
    [0.5, 30_000],
    [1, 36_000],
  ] as const) {
    const { connect, source, clock, heard } = await startScaler(t, { random: () => random });
    source.set(sample(1));
    const stream = connect().streamIsActive(ref);
    await stream.received(1);
    // A new sample of the same activity is no reason to push.
    source.set(sample(2));
    await clock.advance(expected - 1);
    t.is(heard.pushes.length, 1);
    await clock.advance(1);
    await stream.received(2);
    await clock.advance(expected);
    await stream.received(3);
  }
});

test('a stream that flaps pushes at most once a second, the latest state', async (t) => {
  const { connect, source, clock } = await startScaler(t);
  source.set(sample(1));
  const stream = connect().streamIsActive(ref);
  await stream.received(1);
  for (let i = 0; i < 1_000; i++) {
    source.set(sample(0));
    source.set(sample(1));
  }
  source.set(sample(0));
  await clock.advance(1_000);
  t.is(stream.messages.length, 1);
  source.set(sample(1));
  await stream.received(2);
  source.set(sample(0));
  source.set(sample(1));
  await clock.advance(1_000);
  t.is((await stream.received(3)).length, 3);
});

test('a paused client finds a few trues, not a backlog', async (t) => {
  const { connect, source, heard } = await startScaler(t);
  const stream = connect().streamIsActive(ref);
  await stream.opened();
  stream.pause();
  for (let i = 0; i < 20_000; i++) {
    source.set(sample(1));
    source.set(sample(0));
    if (i % 500 === 0) await turn();
  }
  t.true(heard.pushes.length <= 2);
  stream.resume();
  t.is((await stream.received(1)).length, heard.pushes.length);
});

test('sends the spec when the stream opens, then only changes of the target', async (t) => {
  const { connect, source, clock } = await startScaler(t);
  const client = connect();
  const stream = client.streamMetricSpec(ref);
  await stream.received(1);
  await clock.advance(10_000);
  source.setTarget(10);
  source.setTarget(5);
  const [first, second] = await stream.received(2);
  t.is(first?.metricSpecs[0]?.targetSizeFloat, 10);
  t.is(second?.metricSpecs[0]?.targetSizeFloat, 5);
  t.deepEqual(await client.getMetricSpec(ref), second);

  // There and back again within a second: nothing has changed.
  source.setTarget(10);
  source.setTarget(5);
  await clock.advance(10_000);
  t.is(stream.messages.length, 2);
});

test('a refused trigger: its spec is streamed, its activity ends with what is wrong', async (t) => {
  const { connect, heard } = await startScaler(t);
  const client = connect();
  const refused = refWith({ refuse: 'query: expected one of query and metricName, got both' });
  const specs = client.streamMetricSpec(refused);
  t.is((await specs.received(1))[0]?.metricSpecs[0]?.targetSize, 10);
  const end = await client.streamIsActive(refused).ended;
  t.is(end.code, status.INVALID_ARGUMENT);
  t.true(heard.calls.includes('StreamIsActive INVALID_ARGUMENT'));
  t.regex(end.details, /query: expected one of query and metricName/);
});

test('a stream ends itself with OK at an age between four and five hours', async (t) => {
  const hour = 3_600_000;
  const { connect, clock, heard } = await startScaler(t, { random: () => 0.25 });
  const stream = connect().streamIsActive(ref);
  await stream.opened();
  await clock.advance(4.25 * hour - 1);
  t.is(heard.open, 1);
  await clock.advance(1);
  t.is((await stream.ended).code, status.OK);
  t.is(heard.open, 0);
});

test('nothing is left behind when a client cancels', async (t) => {
  const { connect, source, heard, server, clock } = await startScaler(t);
  source.set(sample(1));
  const client = connect();
  const streams = [client.streamIsActive(ref), client.streamMetricSpec(ref)];
  await Promise.all(streams.map((stream) => stream.opened()));
  t.is(server.openStreams, 2);
  t.is(source.watchers, 1);
  for (const stream of streams) stream.cancel();
  while (server.openStreams > 0) await turn();
  t.is(source.watchers, 0);
  t.is(heard.open, 0);
  const pushed = heard.pushes.length;
  await clock.advance(6 * 3_600_000);
  t.is(heard.pushes.length, pushed);
});

test('2,500 streams over 5 connections all get their true', async (t) => {
  const { connect, source, server } = await startScaler(t);
  source.set(sample(0));
  const streams = Array.from({ length: 5 }, () => connect()).flatMap((client) =>
    Array.from({ length: 500 }, (_, i) => client.streamIsActive({ ...ref, name: `workload-${i}` })),
  );
  await Promise.all(streams.map((stream) => stream.opened()));
  t.is(server.openStreams, 2_500);
  source.set(sample(1));
  await Promise.all(streams.map((stream) => stream.received(1)));
  t.true(streams.every(({ messages }) => messages.length === 1));
});

test('2,000 streams that are cancelled at once leave 100 others alive', async (t) => {
  const { connect, source, server } = await startScaler(t);
  source.set(sample(0));
  const client = connect();
  const open = (count: number) => Array.from({ length: count }, () => client.streamIsActive(ref));
  const others = open(100);
  const leaving = open(2_000);
  await Promise.all([...others, ...leaving].map((stream) => stream.opened()));
  for (const stream of leaving) stream.cancel();
  while (server.openStreams > 100) await turn();
  source.set(sample(1));
  await Promise.all(others.map((stream) => stream.received(1)));
  t.is(server.openStreams, 100);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
