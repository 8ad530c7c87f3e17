import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Failure } from '#src/failure.ts';
import { SysdigClient } from '#src/sources/sysdig/client.ts';
import { HttpPool } from '#src/sources/sysdig/http-pool.ts';
import { IbmIam } from '#src/sources/sysdig/ibm-iam.ts';
import { silentLog } from '#test/harness/silent-log.ts';
import { sysdigAccount } from '#test/harness/sysdig-account.ts';
import { startSysdigFake } from '#test/harness/sysdig-fake.ts';
import { replies } from '#test/harness/sysdig-replies.ts';
import { SettableClock } from '#test/sources/sysdig/settable-clock.ts';

const never = new AbortController().signal;
const hour = 3_600_000;

test('exchanges the key for a token, once for all who ask', async (t) => {
  const { iam, fake } = await setUp(t);
  const all = await Promise.all([iam.headers(never), iam.headers(never), iam.headers(never)]);
  for (const headers of all) {
    t.deepEqual(headers, {
      authorization: 'Bearer token-1',
      ibminstanceid: 'instance',
      sysdigteamid: 'team',
    });
  }
  t.is(fake.total, 1);
  t.is(fake.requests[0]?.path, '/identity/token');
  t.deepEqual(
    { ...fake.requests[0]?.form },
    { grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: 'api-key-1' },
  );
  t.is(iam.version, 1);
});

test('renews 5 minutes early, and serves the old token until the new one is there', async (t) => {
  const { iam, fake, clock } = await setUp(t);
  await iam.headers(never);
  await clock.advance(hour - 5 * 60_000 - 1);
  t.like(await iam.headers(never), { authorization: 'Bearer token-1' });
  t.is(fake.total, 1);
  await clock.advance(1);
  t.like(await iam.headers(never), { authorization: 'Bearer token-1' });
  while ((await iam.headers(never))['authorization'] === 'Bearer token-1') await new Promise(setImmediate);
  t.is(fake.total, 2);
  t.is(iam.version, 1);
});

test('lives on the old token while IAM is down, and fails when it has expired', async (t) => {
  const { iam, fake, clock } = await setUp(t);
  await iam.headers(never);
  fake.answer({ status: 503, body: { message: 'later' } });
  await clock.advance(hour - 60_000);
  t.like(await iam.headers(never), { authorization: 'Bearer token-1' });
  await clock.advance(60_000);
  const failure = await t.throwsAsync(iam.headers(never), { instanceOf: Failure });
  t.is(failure.code, 'unavailable');
  t.is(failure.message, 'IBM IAM failed (503): later');
});

test('a failure is remembered for 10 s', async (t) => {
  const { iam, fake, clock } = await setUp(t);
  fake.answer({ status: 500 });
  await t.throwsAsync(iam.headers(never));
  await t.throwsAsync(iam.headers(never));
  t.is(fake.total, 1);
  await clock.advance(10_000);
  await t.throwsAsync(iam.headers(never));
  t.is(fake.total, 2);
});

test('a clock that is set back keeps neither a token nor a failure', async (t) => {
  const { iam, fake, clock } = await setUp(t);
  const token = (name: string) => replies.iamToken(name, 1_760_000_000_000 + hour);
  fake.answer({ status: 500 }, token('token-2'), token('token-3'));
  await t.throwsAsync(iam.headers(never));
  clock.setBackMs = hour;
  t.like(await iam.headers(never), { authorization: 'Bearer token-2' });
  clock.setBackMs = 2 * hour;
  t.true(await iam.renew(never));
  t.is(fake.total, 3);
});

test('a key that IAM does not know is told with its file and without itself', async (t) => {
  const { iam, fake, path } = await setUp(t);
  fake.answer({
    status: 400,
    body: { errorCode: 'BXNIM0415E', errorMessage: 'Provided API key api-key-1 could not be found.' },
  });
  const failure = await t.throwsAsync(iam.headers(never), { instanceOf: Failure });
  t.is(failure.code, 'unauthenticated');
  t.true(
    failure.message.startsWith(
      `IBM IAM does not accept the API key in ${path} (400): Provided API key [secret] could not be found.`,
    ),
  );
});

test('a new key is exchanged at once, past a remembered failure, and the version rises', async (t) => {
  const { iam, fake, path } = await setUp(t);
  fake.answer(
    replies.listedErrors(400, [{ message: 'unknown' }]),
    replies.iamToken('fresh', 1_760_000_000_000 + hour),
  );
  await t.throwsAsync(iam.headers(never));
  await writeFile(path, 'api-key-2');
  t.true(await iam.renew(never));
  t.like(await iam.headers(never), { authorization: 'Bearer fresh' });
  t.is(iam.version, 2);
  t.is(fake.requests[1]?.form['apikey'], 'api-key-2');
});

test('a 401 from Sysdig renews the token once, and not again while it is fresh', async (t) => {
  const { iam, fake, clock, pool } = await setUp(t);
  const sysdig = await startSysdigFake({ token: 'token-2' });
  t.teardown(() => sysdig.stop());
  const client = new SysdigClient({
    pool,
    observer: { request() {}, rateLimit() {} },
    clock,
  });
  const account = sysdigAccount(sysdig.baseUrl, { credential: iam });
  await iam.headers(never);
  await clock.advance(60_000);
  await client.query(account, 'up', never);
  t.is(fake.total, 2);
  t.like(sysdig.requests.at(-1)?.headers, {
    authorization: 'Bearer token-2',
    ibminstanceid: 'instance',
    sysdigteamid: 'team',
  });
  sysdig.token = 'revoked';
  const failure = await t.throwsAsync(client.query(account, 'up', never), { instanceOf: Failure });
  t.is(failure.code, 'unauthenticated');
  t.is(fake.total, 2);
});

for (const body of [
  '',
  'null',
  '<html>',
  {},
  { access_token: 'a' },
  { access_token: 'a b', expiration: 1 },
]) {
  test(`is no token: ${JSON.stringify(body)}`, async (t) => {
    const { iam, fake } = await setUp(t);
    fake.answer({ body });
    const failure = await t.throwsAsync(iam.headers(never), { instanceOf: Failure });
    t.is(failure.code, 'unavailable');
  });
}

test('who leaves ends only his own waiting', async (t) => {
  const { iam, fake } = await setUp(t);
  const abort = new AbortController();
  const left = iam.headers(abort.signal);
  const stays = iam.headers(never);
  abort.abort();
  await t.throwsAsync(left, { message: /was cancelled/ });
  t.like(await stays, { authorization: 'Bearer token-1' });
  t.is(fake.total, 1);
});

async function setUp(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'iam-'));
  const path = join(folder, 'key');
  await writeFile(path, 'api-key-1\n');
  const clock = new SettableClock(1_760_000_000_000);
  const fake = await startSysdigFake({
    respond: () => replies.iamToken(`token-${fake.total}`, clock.now() + hour),
  });
  const pool = new HttpPool();
  const iam = new IbmIam({
    path,
    clock,
    log: silentLog,
    pool,
    iamUrl: fake.baseUrl,
    instanceId: 'instance',
    teamId: 'team',
    proxy: undefined,
    authorities: undefined,
  });
  t.teardown(async () => {
    iam.close();
    await pool.close();
    await fake.stop();
    await rm(folder, { recursive: true });
  });
  return { iam, fake, clock, pool, path };
}
