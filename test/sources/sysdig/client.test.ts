import test, { type ExecutionContext } from 'ava';
import { systemClock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { Account } from '#src/sources/sysdig/account.ts';
import { SysdigClient } from '#src/sources/sysdig/client.ts';
import { HttpPool, type HttpPoolOptions } from '#src/sources/sysdig/http-pool.ts';
import { fixedToken, sysdigAccount } from '#test/harness/sysdig-account.ts';
import { type SysdigFake, startSysdigFake } from '#test/harness/sysdig-fake.ts';
import { replies } from '#test/harness/sysdig-replies.ts';

const never = new AbortController().signal;

test('asks by a form, with the token and a name, and learns the rate limit', async (t) => {
  const { fake, client, account, told } = await setUp(t);
  fake.answer(
    replies.vector([
      { labels: { pod: 'a' }, value: '0.5' },
      { value: 'NaN' },
      { value: '+Inf' },
      { value: '-Inf' },
    ]),
  );
  const { series, warnings } = await client.query(account, 'up{a="ü&b"}', never);
  t.deepEqual(
    series.map(({ value }) => value),
    [0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  t.deepEqual(series[0]?.labels, { pod: 'a' });
  t.deepEqual(warnings, []);
  const [request] = fake.requests;
  t.is(request?.method, 'POST');
  t.is(request?.path, '/prometheus/api/v1/query');
  t.deepEqual({ ...request?.form }, { query: 'up{a="ü&b"}', timeout: '30s' });
  t.is(request?.headers.authorization, 'Bearer monitor-token');
  t.regex(request?.headers['user-agent'] ?? '', /^external-scaler-sysdig\/\d+\.\d+\.\d+$/);
  t.deepEqual(told, ['limit default 600', 'default ok']);
});

test('keeps the path in front of the API', async (t) => {
  const { fake, client, account } = await setUp(t);
  fake.answer(replies.vector([]));
  await client.query({ ...account, baseUrl: `${fake.baseUrl}/monitor` }, 'up', never);
  t.is(fake.requests[0]?.path, '/monitor/prometheus/api/v1/query');
});

for (const encoding of ['gzip', 'br'] as const) {
  test(`decodes ${encoding}, in errors too`, async (t) => {
    const { fake, client, account } = await setUp(t);
    fake.answer(
      replies.compressed(replies.vector([{ value: 3 }]), encoding),
      replies.compressed(replies.prometheusError(400, 'compressed words'), encoding),
    );
    t.is((await client.query(account, 'up', never)).series[0]?.value, 3);
    await t.throwsAsync(client.query(account, 'up', never), { message: /compressed words/ });
  });
}

test('warnings are kept, infos are not', async (t) => {
  const { fake, client, account } = await setUp(t);
  fake.answer(
    replies.vector([], { warnings: ['series limit reached', 'x'.repeat(300)], infos: ['not a counter'] }),
  );
  const { warnings } = await client.query(account, 'up', never);
  t.is(warnings[0], 'series limit reached');
  t.is(warnings[1]?.length, 200);
  t.is(warnings.length, 2);
});

test('reads the Data API', async (t) => {
  const { fake, client, account } = await setUp(t);
  fake.answer(replies.data([[1_760_000_000, [6.481]]]));
  const asked = {
    metric: 'net.bytes.in',
    timeAggregation: 'avg',
    groupAggregation: 'sum',
    windowMs: 60_000,
    filter: "a = 'b'",
  } as const;
  const { series } = await client.data(account, asked, never);
  t.deepEqual(series, [{ labels: {}, value: 6.481, at: 1_760_000_000_000 }]);
  t.is(fake.requests[0]?.path, '/api/data/');
  t.like(fake.requests[0]?.json, { last: 60, filter: "a = 'b'" });
});

test('a 401 is asked again once, with the renewed token', async (t) => {
  const { fake, client, account, told } = await setUp(t);
  let token = 'old-token';
  const credential = {
    ...fixedToken(''),
    headers: async () => ({ authorization: `Bearer ${token}` }),
    renew: async () => {
      token = 'monitor-token';
      return true;
    },
  };
  await client.query({ ...account, credential }, 'up', never);
  t.is(fake.total, 2);
  t.deepEqual(
    told.filter((line) => !line.startsWith('limit')),
    ['default unauthenticated', 'default ok'],
  );
});

test('a 401 is asked again when the token has changed since it was sent', async (t) => {
  const { fake, client, account } = await setUp(t);
  let calls = 0;
  const credential = {
    ...fixedToken(''),
    headers: async () => ({ authorization: calls++ === 0 ? 'Bearer old-token' : 'Bearer monitor-token' }),
  };
  await client.query({ ...account, credential }, 'up', never);
  t.is(fake.total, 2);
});

test('a 401 with nothing else to try fails, and a second one too', async (t) => {
  const { fake, client, account } = await setUp(t);
  fake.token = 'another';
  const failure = await failing(t, client.query(account, 'up', never));
  t.is(failure.code, 'unauthenticated');
  t.is(failure.httpStatus, 401);
  t.is(fake.total, 1);
  const credential = { ...fixedToken('monitor-token'), renew: async () => true };
  await failing(t, client.query({ ...account, credential }, 'up', never));
  t.is(fake.total, 3);
});

test('a 429 says when to ask again', async (t) => {
  const { fake, client, account, told } = await setUp(t);
  fake.answer(replies.rateLimited('7'));
  const before = Date.now();
  const failure = await failing(t, client.query(account, 'up', never));
  t.is(failure.code, 'rate-limited');
  t.true((failure.retryAt ?? 0) >= before + 7_000 && (failure.retryAt ?? 0) <= Date.now() + 7_000);
  t.true(told.includes('default rate-limited'));
});

test('a named account stands in the message, its token never', async (t) => {
  const { fake, client, account } = await setUp(t);
  fake.answer(replies.prometheusError(400, 'you sent Bearer monitor-token'));
  const failure = await failing(t, client.query({ ...account, name: 'team-a' }, 'up', never));
  t.is(failure.message, 'Sysdig account "team-a" refuses the query (400): you sent Bearer [secret]');
});

test('a redirect is not followed', async (t) => {
  const { fake, client, account } = await setUp(t);
  const other = await startSysdigFake();
  t.teardown(() => other.stop());
  fake.answer({ status: 307, headers: { location: `${other.baseUrl}/prometheus/api/v1/query` } });
  const failure = await failing(t, client.query(account, 'up', never));
  t.is(failure.code, 'unavailable');
  t.is(other.total, 0);
});

test('a page, and other JSON, are failures and no numbers', async (t) => {
  const { fake, client, account } = await setUp(t);
  for (const reply of [
    replies.html(200, 'Sign in'),
    { body: {} },
    { body: '[]' },
    { body: '' },
    { body: 'null' },
    { body: '7' },
  ]) {
    fake.answer(reply);
    t.is((await failing(t, client.query(account, 'up', never))).code, 'unavailable');
  }
});

test('what is no single number a series is invalid', async (t) => {
  const { fake, client, account } = await setUp(t);
  for (const data of [
    { resultType: 'matrix', result: [] },
    { resultType: 'string', result: [1, 'a'] },
  ]) {
    fake.answer({ body: { status: 'success', data } });
    t.is((await failing(t, client.query(account, 'up', never))).code, 'invalid');
  }
  const histogram = { metric: {}, histogram: [1, { count: '1' }] };
  fake.answer({ body: { status: 'success', data: { resultType: 'vector', result: [histogram] } } });
  t.regex((await failing(t, client.query(account, 'up', never))).message, /native histogram/);
});

for (const hang of ['head', 'body'] as const) {
  test(`gives up on an answer whose ${hang} hangs`, async (t) => {
    const { fake, client, account, told } = await setUp(t, { timeoutMs: 100 });
    fake.answer({ ...replies.vector([{ value: 1 }]), hang });
    const failure = await failing(t, client.query(account, 'up', never));
    t.is(failure.code, 'unavailable');
    t.regex(failure.message, /expected an answer from 127\.0\.0\.1:\d+ within 0\.1 s, got none/);
    t.true(told.includes('default unavailable'));
  });
}

test('gives up when it is told to', async (t) => {
  const { fake, client, account } = await setUp(t);
  const abort = new AbortController();
  fake.answer(() => {
    abort.abort();
    return { hang: 'head' };
  });
  t.regex((await failing(t, client.query(account, 'up', abort.signal))).message, /was cancelled/);
});

for (const encoding of ['plain', 'gzip'] as const) {
  test(`refuses an answer that is too large, ${encoding}`, async (t) => {
    const { fake, client, account } = await setUp(t, { maxBytes: 10_000 });
    const large = { body: ' '.repeat(1_000_000) };
    fake.answer(encoding === 'plain' ? large : replies.compressed(large, encoding));
    const failure = await failing(t, client.query(account, 'up', never));
    t.is(failure.code, 'invalid');
    t.regex(failure.message, /at most 10000 bytes, got a larger one; aggregate the query/);
  });
}

test('an upstream that is down is unavailable, and answers again when it is back', async (t) => {
  const { client, account, fake } = await setUp(t);
  const gone = await startSysdigFake();
  const { baseUrl } = gone;
  await gone.stop();
  const failure = await failing(t, client.query({ ...account, baseUrl }, 'up', never));
  t.is(failure.code, 'unavailable');
  t.regex(failure.message, /ECONNREFUSED/);
  t.is((await client.query(account, 'up', never)).series.length, 1);
  t.is(fake.total, 1);
});

interface SetUp {
  fake: SysdigFake;
  client: SysdigClient;
  account: Account;
  /** What the observer heard. */
  told: string[];
}

async function setUp(t: ExecutionContext, options: HttpPoolOptions = {}): Promise<SetUp> {
  const fake = await startSysdigFake();
  const told: string[] = [];
  const observer = {
    request: (account: string, outcome: string) => told.push(`${account} ${outcome}`),
    rateLimit: (account: string, perMinute: number) => told.push(`limit ${account} ${perMinute}`),
  };
  const client = new SysdigClient({
    pool: new HttpPool(options),
    observer,
    clock: systemClock,
  });
  t.teardown(async () => {
    await client.close();
    await fake.stop();
  });
  return { fake, client, account: sysdigAccount(fake.baseUrl), told };
}

function failing(t: ExecutionContext, promise: Promise<unknown>): Promise<Failure> {
  return t.throwsAsync(promise, { instanceOf: Failure });
}
