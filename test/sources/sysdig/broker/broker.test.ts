import test, { type ExecutionContext } from 'ava';
import { Failure } from '#src/failure.ts';
import { Broker } from '#src/sources/sysdig/broker/broker.ts';
import type { Answer, Question } from '#src/sources/sysdig/question.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import {
  account,
  answer,
  obliging,
  ofWorkload,
  type Reply,
  row,
  ScriptedUpstream,
  silentObserver,
  written,
} from '#test/sources/sysdig/broker/upstreams.ts';
import { SettableClock } from '#test/sources/sysdig/settable-clock.ts';

const ttl = 10_000;
const query = written('sum(a)');
const down = new Failure('unavailable', 'Sysdig answered 503', { httpStatus: 503 });

function setUp(t: ExecutionContext, reply: Reply = obliging()) {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, reply);
  const told: string[] = [];
  const observer = {
    ...silentObserver,
    asked: (_: string, how: string) => void told.push(how),
    merged: (_: string, questions: number) => void told.push(`merged ${questions}`),
  };
  const broker = new Broker({ upstream, clock, observer });
  t.teardown(() => broker.close());
  /** Asks and lets time pass until the answer is there. */
  const ask = async (question: Question = query, ms = 20): Promise<Answer> => {
    const promise = Promise.resolve(broker.ask(question, ttl));
    promise.catch(() => {});
    await clock.advance(ms);
    return promise;
  };
  const failing = () => {
    upstream.reply = () => {
      throw down;
    };
  };
  return { clock, upstream, broker, ask, told, failing };
}

test('equal questions share one flight, whoever asks, and one memory', async (t) => {
  const { clock, upstream, broker, told } = setUp(t);
  const asked = [query, written('sum(a)', { namespace: 'other' }), written('sum(a)')];
  const answers = asked.map((question) => broker.ask(question, ttl));
  await clock.advance(20);
  const distinct = new Set(await Promise.all(answers));
  t.is(distinct.size, 1);
  t.true(distinct.has(broker.ask(query, ttl) as Answer));
  t.deepEqual(upstream.asked, [
    'label_replace((sum(a)),"external_scaler_slot","0","","") or label_replace((max(timestamp(a))),"external_scaler_slot","1","","")',
  ]);
  t.deepEqual(told, ['cold', 'joined', 'joined', 'memory']);
});

test('another account, another credential and another api are other questions', async (t) => {
  const { clock, upstream, broker } = setUp(t);
  const credential = { ...account().credential, version: 2 };
  for (const question of [
    ofWorkload(),
    ofWorkload({}, { account: account({ name: 'b' }) }),
    ofWorkload({}, { account: account({ credential }) }),
    ofWorkload({}, { api: 'data' }),
  ]) {
    broker.ask(question, ttl);
    await clock.advance(600);
  }
  t.is(upstream.asked.length, 4);
});

test('a warm question is answered from memory while its refresh is under way', async (t) => {
  const { clock, upstream, broker, ask } = setUp(t);
  const first = await ask();
  upstream.delayMs = 5_000;
  await clock.advance(14_000);
  t.is(upstream.asked.length, 2);
  t.is(broker.ask(query, ttl), first);
  await clock.advance(5_000);
  t.not(broker.ask(query, ttl), first);
  t.false(broker.ask(query, ttl) instanceof Promise);
});

test('an old answer is not given beyond its ttl and one upstream time-out', async (t) => {
  const { clock, upstream, broker, ask } = setUp(t);
  await ask();
  upstream.reply = () => new Promise(() => {}) as never;
  await clock.advance(39_900);
  t.false(broker.ask(query, ttl) instanceof Promise);
  await clock.advance(200);
  const late = broker.ask(query, ttl);
  t.true(late instanceof Promise);
  await clock.advance(5_000);
  await t.throwsAsync(Promise.resolve(late), { message: /not answered within 30 s/ });
});

test('a failed refresh is told at once, not the old answer', async (t) => {
  const { clock, broker, ask, failing } = setUp(t);
  await ask();
  failing();
  await clock.advance(13_000);
  t.is(
    t.throws(() => broker.ask(query, ttl)),
    down,
  );
  t.is(broker.recollect(query)?.series[0]?.value, 1);
});

test('failures are remembered for 5 s, doubling to 60 s, and forgotten with a success', async (t) => {
  const { clock, upstream, broker, ask, failing } = setUp(t);
  failing();
  await t.throwsAsync(ask(), { is: down });
  const times: number[] = [];
  for (let second = 0; second < 240; second++) {
    const before = upstream.asked.length;
    try {
      Promise.resolve(broker.ask(query, ttl)).catch(() => {});
    } catch {}
    await clock.advance(1_000);
    if (upstream.asked.length > before) times.push(second);
  }
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  t.deepEqual(gaps.slice(0, 5), [10, 20, 40, 60, 60]);
  upstream.reply = obliging();
  await clock.advance(61_000);
  t.false(broker.ask(query, ttl) instanceof Promise);
});

test('a flight goes on after its caller, and fills the memory', async (t) => {
  const { clock, upstream, broker } = setUp(t);
  upstream.delayMs = 5_000;
  t.true(broker.ask(query, ttl) instanceof Promise);
  await clock.advance(6_000);
  t.false(broker.ask(query, ttl) instanceof Promise);
});

test('a question is refreshed for a minute after the last time that it was asked', async (t) => {
  const { clock, upstream, ask } = setUp(t);
  await ask();
  await clock.advance(300_000);
  t.is(upstream.asked.length, 5);
});

test('the smallest ttl that was asked for lately decides', async (t) => {
  const { clock, upstream, broker, ask } = setUp(t);
  await ask();
  broker.ask(query, 4_000);
  await clock.advance(5_100);
  t.is(upstream.asked.length, 2);
});

test('a frozen account answers from memory, else with the time of the next try, and asks nothing', async (t) => {
  const { clock, upstream, broker, ask } = setUp(t);
  const first = await ask();
  const retryAt = clock.now() + 60_000;
  upstream.reply = () => {
    throw new Failure('rate-limited', 'slow down', { httpStatus: 429, retryAt });
  };
  await t.throwsAsync(ask(written('sum(b)'), 600), {
    message: /^slow down; account default is asked again at 2025-/,
  });
  t.is(upstream.asked.length, 2);
  t.like(
    t.throws(() => broker.ask(written('sum(b)'), ttl)),
    { code: 'rate-limited', retryAt },
  );
  t.like(
    t.throws(() => broker.ask(written('sum(c)'), ttl)),
    { code: 'rate-limited', retryAt },
  );
  await clock.advance(20_000);
  t.is(broker.ask(query, ttl), first);
  await clock.advance(25_000);
  t.like(
    t.throws(() => broker.ask(query, ttl)),
    { code: 'rate-limited', retryAt },
  );
  t.is(upstream.asked.length, 2);
  upstream.reply = obliging();
  await clock.advance(16_000);
  t.false(broker.ask(query, ttl) instanceof Promise);
});

test('one account that is frozen freezes no other', async (t) => {
  const { upstream, ask } = setUp(t);
  upstream.reply = (_, call) => {
    if (call === 1) throw new Failure('rate-limited', 'slow down', { httpStatus: 429 });
    return answer(row(7));
  };
  await t.throwsAsync(ask());
  t.is((await ask(written('sum(a)', { account: account({ name: 'b' }) }))).series[0]?.value, 7);
});

test('a follower keeps its question warm and hears each new answer', async (t) => {
  const { clock, broker, upstream } = setUp(t, (_, call) => answer(row(call)));
  const heard: (number | undefined)[] = [];
  const stop = new AbortController();
  broker.follow(written('vector(1)'), ttl, ({ series }) => heard.push(series[0]?.value), stop.signal);
  await clock.advance(120_000);
  t.deepEqual(heard, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  stop.abort();
  await clock.advance(120_000);
  t.true(upstream.asked.length <= 11);
  t.is(heard.length, 10);
});

test('a follower outlives failures and a new credential', async (t) => {
  const { clock, broker, upstream, failing } = setUp(t);
  const credential = { ...account().credential, version: 1 };
  let heard = 0;
  const question = written('vector(1)', { account: account({ credential }) });
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  broker.follow(question, ttl, () => void heard++, stop.signal);
  await clock.advance(1_000);
  failing();
  await clock.advance(60_000);
  t.is(heard, 1);
  upstream.reply = obliging();
  credential.version = 2;
  await clock.advance(70_000);
  t.true(heard > 1);
});

test('a query that Sysdig does not answer in time does not hold its company for good', async (t) => {
  const { clock, upstream, broker } = setUp(t);
  const heavy = written('sum(heavy)');
  const light = written('sum(light)');
  upstream.reply = (expression, call) => {
    if (expression.includes('heavy')) throw new Failure('unavailable', 'not answered within 30 s');
    return obliging()(expression, call);
  };
  for (let second = 0; second < 60; second++) {
    for (const question of [heavy, light]) {
      try {
        Promise.resolve(broker.ask(question, ttl)).catch(() => {});
      } catch {}
    }
    await clock.advance(1_000);
  }
  t.is((broker.ask(light, ttl) as Answer).series[0]?.value, 1);
  t.throws(() => broker.ask(heavy, ttl));
});

for (const [backMs, what] of [
  [3_600_000, 'an hour'],
  [20_000, '20 s'],
] as const) {
  test(`a clock that is set back by ${what} stops nothing`, async (t) => {
    const clock = new SettableClock();
    const upstream = new ScriptedUpstream(clock, (_, call) => answer(row(call)));
    const broker = new Broker({ upstream, clock, observer: silentObserver });
    t.teardown(() => broker.close());
    const heard: (number | undefined)[] = [];
    const stop = new AbortController();
    const followed = written('vector(1)');
    const asked = written('vector(2)', { namespace: 'other' });
    const ask = (question: Question) => Promise.resolve(broker.ask(question, ttl));
    broker.follow(followed, ttl, ({ series }) => heard.push(series[0]?.value), stop.signal);
    ask(asked);
    await clock.advance(1_000);
    const gathering = ask(written('vector(3)'));
    clock.setBackMs = backMs;
    const again = ask(asked);
    await clock.advance(600);
    t.deepEqual(
      (await Promise.all([gathering, again])).map(({ series }) => series.length),
      [1, 1],
    );
    await clock.advance(60_000);
    t.true(heard.length >= 5);
    t.true(clock.now() - (await ask(asked)).askedAt <= 15_000);
    stop.abort();
  });
}

test('the questions of a start gather into a few requests', async (t) => {
  const { clock, upstream, broker } = setUp(t);
  for (let index = 0; index < 300; index++) {
    Promise.resolve(broker.ask(ofWorkload({ workload: `w${index}` }), ttl)).catch(() => {});
    await clock.advance(10);
  }
  await clock.advance(1_000);
  t.true(upstream.asked.length <= 8);
});

test('a question without company leaves at once', async (t) => {
  const { clock, upstream, broker } = setUp(t);
  const started = clock.now();
  broker.ask(query, ttl);
  await clock.advance(20);
  broker.ask(written('sum(b)', { namespace: 'other' }), ttl);
  await clock.advance(20);
  t.deepEqual(
    upstream.askedAt.map((at) => at - started),
    [10, 30],
  );
});

test('forgets what nobody asked for in 10 minutes, and the idlest beyond its limit', async (t) => {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, obliging());
  const broker = new Broker({ upstream, clock, observer: silentObserver, mostEntries: 40 });
  t.teardown(() => broker.close());
  const questions = Array.from({ length: 60 }, (_, index) => written(`sum(m${index})`));
  for (const question of questions) {
    Promise.resolve(broker.ask(question, ttl)).catch(() => {});
    await clock.advance(1_000);
  }
  const remembered = questions.filter((question) => broker.recollect(question));
  t.true(remembered.length <= 40);
  const kept = written('sum(kept)');
  broker.ask(kept, ttl);
  await clock.advance(1_000);
  t.truthy(broker.recollect(kept));
  await clock.advance(660_000);
  broker.ask(written('sum(other)'), ttl);
  t.is(broker.recollect(kept), undefined);
});

test('the Data API is asked one by one, and tells the age by its newest bucket', async (t) => {
  const { clock, upstream, ask } = setUp(t);
  upstream.reply = () => answer({ labels: {}, value: 3, at: clock.now() - 5_000 });
  const { askedAt, dataAt } = await ask(ofWorkload({}, { api: 'data' }));
  t.is(askedAt - dataAt, 5_000);
  t.like(JSON.parse(upstream.asked[0] ?? ''), {
    metric: 'net.http.request.count',
    timeAggregation: 'timeAvg',
  });
});

test('names that cannot be written in PromQL are refused before anything is asked', (t) => {
  const { broker, upstream } = setUp(t);
  const filter = [{ label: 'a"b', operator: '=', value: 'c' }] as const;
  t.like(
    t.throws(() => broker.ask(ofWorkload({ filter }), ttl)),
    { code: 'invalid' },
  );
  t.is(upstream.asked.length, 0);
});

test('closing ends every wait, and nothing is asked after', async (t) => {
  const { clock, upstream, broker } = setUp(t);
  upstream.delayMs = 1_000;
  const flying = Promise.resolve(broker.ask(query, ttl));
  await clock.advance(20);
  const gathering = Promise.resolve(broker.ask(written('sum(b)'), ttl));
  broker.close();
  for (const one of [flying, gathering]) await t.throwsAsync(one, { message: /shutting down/ });
  t.true(upstream.signals[0]?.aborted);
  for (const question of [written('sum(c)'), written('sum(a)', { account: account({ name: 'b' }) })])
    t.throws(() => broker.ask(question, ttl), { message: /shutting down/ });
  await clock.advance(60_000);
  t.is(upstream.asked.length, 1);
});
