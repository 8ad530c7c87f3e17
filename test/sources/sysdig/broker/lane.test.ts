import test, { type ExecutionContext } from 'ava';
import { Failure } from '#src/failure.ts';
import type { Account } from '#src/sources/sysdig/account.ts';
import { Lane } from '#src/sources/sysdig/broker/lane.ts';
import { TokenBucket } from '#src/token-bucket.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { account, silentObserver } from '#test/sources/sysdig/broker/upstreams.ts';

const patient = { isUrgent: () => false };
const urgent = { isUrgent: () => true };

function setUp(t: ExecutionContext, changes: Partial<Account> = {}) {
  const clock = new ManualClock();
  const frozen: number[] = [];
  const observer = { ...silentObserver, frozen: (_: string, until: number) => void frozen.push(until) };
  const lane = new Lane({ account: account(changes), clock, observer, timeoutMs: 30_000 });
  t.teardown(() => lane.close());
  const sent: string[] = [];
  const send = (name: string, options = patient, lastsMs = 0) => {
    const promise = lane.send(async () => {
      sent.push(name);
      if (lastsMs > 0) await new Promise<void>((resolve) => clock.after(lastsMs, resolve));
      return name;
    }, options);
    promise.catch(() => {});
    return promise;
  };
  return { clock, lane, send, sent, frozen };
}

test('keeps to the number of requests at once, and lets those go first that somebody waits for', async (t) => {
  const { clock, send, sent } = setUp(t, { concurrency: 1 });
  for (const name of ['a', 'b']) send(name, patient, 1_000);
  send('c', urgent, 1_000);
  t.deepEqual(sent, ['a']);
  await clock.advance(1_000);
  t.deepEqual(sent, ['a', 'c']);
  await clock.advance(1_000);
  t.deepEqual(sent, ['a', 'c', 'b']);
});

test('a refresh goes first as soon as somebody waits for it', async (t) => {
  const { clock, send, sent } = setUp(t, { concurrency: 1 });
  let awaited = false;
  send('a', patient, 1_000);
  send('b', patient, 1_000);
  send('c', { isUrgent: () => awaited }, 1_000);
  awaited = true;
  await clock.advance(1_000);
  t.deepEqual(sent, ['a', 'c']);
});

test('spends a quarter of the budget at once and the rest evenly', async (t) => {
  const { clock, send, sent } = setUp(t, { requestsPerMinute: 12, concurrency: 100 });
  for (let index = 0; index < 6; index++) send(String(index));
  t.is(sent.length, 3);
  await clock.advance(5_000);
  t.is(sent.length, 4);
  await clock.advance(10_000);
  t.is(sent.length, 6);
});

test('refuses what the budget leaves no room for in time, and says when to ask again', async (t) => {
  const { clock, send } = setUp(t, { requestsPerMinute: 4, concurrency: 100 });
  for (const name of ['a', 'b', 'c']) send(name);
  const failure = await t.throwsAsync(send('d'), { instanceOf: Failure });
  t.is(failure?.code, 'rate-limited');
  t.is(failure?.retryAt, clock.now() + 45_000);
});

test('makes four fifths of a limit that Sysdig shows its budget, unless the operator set one', async (t) => {
  const learnt = setUp(t);
  learnt.lane.learn(50);
  for (let index = 0; index < 20; index++) learnt.send(String(index));
  t.is(learnt.sent.length, 8, 'concurrency 8');
  const set = setUp(t, { requestsPerMinute: 4, concurrency: 100 });
  set.lane.learn(5_000);
  for (const name of ['a', 'b']) set.send(name);
  t.is(set.sent.length, 1);
});

test('holds no more than the limit in any minute', (t) => {
  const bucket = new TokenBucket(80, 0);
  const taken: number[] = [];
  for (let now = 0; now < 300_000; now += 50)
    if ((now < 60_000 || now > 110_000) && bucket.take(now)) taken.push(now);
  for (const from of taken) t.true(taken.filter((at) => at >= from && at < from + 60_000).length <= 100);
});

test('freezes on a 429 until its time, with all that waits', async (t) => {
  const { clock, lane, send, sent, frozen } = setUp(t, { concurrency: 1 });
  const retryAt = clock.now() + 7_000;
  const limited = new Failure('rate-limited', 'slow down', { httpStatus: 429, retryAt });
  const first = lane.send(() => Promise.reject(limited), patient);
  const second = send('b');
  await t.throwsAsync(first, {
    message: `slow down; account default is asked again at ${new Date(retryAt).toISOString()}`,
  });
  const failure = await t.throwsAsync(second, { instanceOf: Failure });
  t.is(failure?.retryAt, retryAt);
  t.deepEqual(frozen, [retryAt]);
  t.is(lane.frozen()?.code, 'rate-limited');
  await clock.advance(7_000);
  t.is(lane.frozen(), undefined);
  t.is(await send('c'), 'c');
  t.deepEqual(sent, ['c']);
});

test('freezes for 30 s where a 429 names no time', async (t) => {
  const { clock, lane } = setUp(t);
  const limited = new Failure('rate-limited', 'slow down', { httpStatus: 429 });
  await t.throwsAsync(
    lane.send(() => Promise.reject(limited), patient),
    { message: /^slow down; account default is asked again at / },
  );
  t.is(lane.frozen()?.retryAt, clock.now() + 30_000);
});

test('freezes for a second where a 429 names a time that has passed', async (t) => {
  const { clock, lane } = setUp(t);
  const limited = new Failure('rate-limited', 'slow down', { httpStatus: 429, retryAt: clock.now() });
  await t.throwsAsync(lane.send(() => Promise.reject(limited), patient));
  t.is(lane.frozen()?.retryAt, clock.now() + 1_000);
});

test('ends a request that lasts too long, even one that does not mind its signal', async (t) => {
  const { clock, lane } = setUp(t);
  let aborted = false;
  const endless = lane.send((_, signal) => {
    signal.addEventListener('abort', () => {
      aborted = true;
    });
    return new Promise(() => {});
  }, patient);
  const failure = t.throwsAsync(endless, { instanceOf: Failure, message: /not answered within 30 s/ });
  await clock.advance(30_000);
  t.is((await failure)?.code, 'unavailable');
  t.true(aborted);
});

test('says so when all requests hang and another has waited too long', async (t) => {
  const { clock, send } = setUp(t, { concurrency: 1 });
  send('a', patient, 29_000);
  send('b', patient, 29_000);
  const failure = t.throwsAsync(send('c'), { message: /are still waiting for Sysdig/ });
  await clock.advance(30_000);
  await failure;
});

test('closing ends what flies and what waits', async (t) => {
  const { lane, send } = setUp(t, { concurrency: 1 });
  const both = [send('a', patient, 1_000), send('b')];
  lane.close();
  for (const one of both) await t.throwsAsync(one, { message: /shutting down/ });
});
