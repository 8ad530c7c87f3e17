import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Failure } from '#src/failure.ts';
import { SysdigClient } from '#src/sources/sysdig/client.ts';
import { HttpPool } from '#src/sources/sysdig/http-pool.ts';
import { TokenFile } from '#src/sources/sysdig/token-file.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { silentLog } from '#test/harness/silent-log.ts';
import { sysdigAccount } from '#test/harness/sysdig-account.ts';
import { startSysdigFake } from '#test/harness/sysdig-fake.ts';

test('a token that turns wrong and right again is refused once it is wrong, and taken at once when it is right', async (t) => {
  const { path, open } = await setUp(t);
  await writeFile(path, 'monitor-token\n');
  const credential = open();
  const fake = await startSysdigFake();
  const observer = { request() {}, rateLimit() {} };
  const client = new SysdigClient({
    pool: new HttpPool(),
    observer,
    clock: new ManualClock(),
  });
  t.teardown(async () => {
    await client.close();
    await fake.stop();
  });
  const account = sysdigAccount(fake.baseUrl, { credential });
  const ask = () => client.query(account, 'up', new AbortController().signal);

  t.is((await ask()).series.length, 1);
  fake.token = 'another-token';
  const failure = await t.throwsAsync(ask(), { instanceOf: Failure });
  t.is(failure.code, 'unauthenticated');
  t.is(credential.version, 1);
  await writeFile(path, 'another-token\n');
  t.is((await ask()).series.length, 1);
  t.is(credential.version, 2);
});

test('a missing file is told with its name, and found without a restart', async (t) => {
  const { path, open } = await setUp(t);
  const credential = open();
  const failure = await t.throwsAsync(credential.headers(), { instanceOf: Failure });
  t.is(failure.code, 'unauthenticated');
  t.true(failure.message.startsWith(`${path}: expected the Sysdig API token, got no such file`));
  await writeFile(path, 'monitor-token');
  t.true(await credential.renew());
  t.deepEqual(await credential.headers(), { authorization: 'Bearer monitor-token' });
});

for (const text of ['two words', 'line\nbreak', 'ümlaut', '{"token": "x"}']) {
  test(`is no token: ${JSON.stringify(text)}`, async (t) => {
    const { path, open } = await setUp(t);
    await writeFile(path, text);
    const failure = await t.throwsAsync(open().headers(), { instanceOf: Failure });
    t.is(failure.code, 'unauthenticated');
    t.regex(failure.message, /expected one word of visible ASCII characters/);
    t.false(failure.message.includes(text));
  });
}

async function setUp(t: ExecutionContext): Promise<{ path: string; open: () => TokenFile }> {
  const folder = await mkdtemp(join(tmpdir(), 'token-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'token');
  const open = () => {
    const credential = new TokenFile({ path, clock: new ManualClock(), log: silentLog });
    t.teardown(() => credential.close());
    return credential;
  };
  return { path, open };
}
