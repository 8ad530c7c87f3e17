import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { AccountSettings } from '#src/configuration/settings.ts';
import { HttpPool } from '#src/sources/sysdig/http-pool.ts';
import { closeAccount, openAccounts } from '#src/sources/sysdig/open-accounts.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { silentLog } from '#test/harness/silent-log.ts';
import { startSysdigFake } from '#test/harness/sysdig-fake.ts';
import { replies } from '#test/harness/sysdig-replies.ts';

const never = new AbortController().signal;

const plain: AccountSettings = {
  url: undefined,
  region: 'eu1',
  tokenFile: '/nowhere/token',
  ibmApiKeyFile: undefined,
  ibmInstanceId: undefined,
  ibmTeamId: undefined,
  iamUrl: 'https://iam.cloud.ibm.com',
  allowHttp: false,
  caFile: undefined,
  proxy: undefined,
  namespaces: undefined,
  queries: 'any',
  concurrency: 8,
  requestsPerMinute: undefined,
};

test('each account has its own address, rights and limits', (t) => {
  const { open } = setUp(t);
  const own = {
    url: 'https://sysdig.example.com/monitor/',
    region: undefined,
    namespaces: ['shop'],
    queries: 'own',
    concurrency: 2,
    requestsPerMinute: 60,
    proxy: 'http://proxy:3128',
  } as const;
  const accounts = open({ default: plain, 'team-a': { ...plain, ...own, namespaces: ['shop'] } });
  t.like(accounts.get('default'), { name: 'default', baseUrl: 'https://eu1.app.sysdig.com', queries: 'any' });
  const { url: _, region: __, ...same } = own;
  t.like(accounts.get('team-a'), { name: 'team-a', baseUrl: 'https://sysdig.example.com/monitor', ...same });
});

test('a token or certificates that are not there yet do not stop the start, and are told with their files', async (t) => {
  const { open } = setUp(t);
  const account = open({ default: { ...plain, caFile: '/nowhere/ca.pem' } }).get('default');
  await t.throwsAsync(async () => account?.credential.headers(never), {
    message: /^\/nowhere\/token: expected the Sysdig API token, got no such file/,
  });
  t.throws(() => account?.authorities?.text, {
    message: /^\/nowhere\/ca.pem: expected CA certificates \(PEM\), got no such file/,
  });
});

test('files are read anew until the account is closed', async (t) => {
  const { open, clock, folder } = setUp(t);
  const tokenFile = join(await folder, 'token');
  await writeFile(tokenFile, 'one');
  const account = open({ default: { ...plain, tokenFile, caFile: tokenFile } }).get('default');
  if (account === undefined) return t.fail();
  await writeFile(tokenFile, 'two');
  await clock.advance(5_000);
  while (account.credential.version < 2 || (account.authorities?.version ?? 2) < 2)
    await new Promise(setImmediate);
  t.deepEqual(await account.credential.headers(never), { authorization: 'Bearer two' });
  t.is(account.authorities?.text, 'two');
  closeAccount(account);
  await writeFile(tokenFile, 'three');
  await clock.advance(60_000);
  t.is(account.credential.version, 2);
  t.is(account.authorities?.version, 2);
});

test('an API key of IBM Cloud is exchanged where IAM is', async (t) => {
  const { open, clock, folder } = setUp(t);
  const iam = await startSysdigFake({ respond: () => replies.iamToken('token', clock.now() + 3_600_000) });
  t.teardown(() => iam.stop());
  const ibmApiKeyFile = join(await folder, 'key');
  await writeFile(ibmApiKeyFile, 'api-key');
  const account = open({
    default: {
      ...plain,
      region: 'ibm:eu-de',
      tokenFile: undefined,
      ibmApiKeyFile,
      ibmInstanceId: 'instance',
      ibmTeamId: 'team',
      iamUrl: iam.baseUrl,
    },
  }).get('default');
  t.is(account?.baseUrl, 'https://eu-de.monitoring.cloud.ibm.com');
  t.deepEqual(await account?.credential.headers(never), {
    authorization: 'Bearer token',
    ibminstanceid: 'instance',
    sysdigteamid: 'team',
  });
});

function setUp(t: ExecutionContext) {
  const clock = new ManualClock();
  const pool = new HttpPool();
  const folder = mkdtemp(join(tmpdir(), 'accounts-'));
  t.teardown(async () => {
    await pool.close();
    await rm(await folder, { recursive: true });
  });
  const open = (settings: Record<string, AccountSettings>) => {
    const accounts = openAccounts(new Map(Object.entries(settings)), { pool, clock, log: silentLog });
    t.teardown(() => accounts.forEach(closeAccount));
    return accounts;
  };
  return { open, clock, folder };
}
