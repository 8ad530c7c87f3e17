import test from 'ava';
import type { Account } from '#src/sources/sysdig/account.ts';
import { Accounts } from '#src/sources/sysdig/accounts.ts';
import { refusal } from '#test/harness/refusal.ts';
import { sysdigAccount } from '#test/harness/sysdig-account.ts';
import { sysdigTrigger } from '#test/harness/sysdig-trigger.ts';

const query = { query: 'up' };
const metric = { metricName: 'net.http.request.count' };

function account(name: string, more: Partial<Account> = {}): Account {
  return sysdigAccount('http://127.0.0.1:1', { name, ...more });
}

function allow(accounts: Account[], metadata: Record<string, string>, authenticated = true): string {
  const known = new Accounts(new Map(accounts.map((one) => [one.name, one])), 'prod');
  return refusal(() => known.allow(sysdigTrigger(metadata, 'prod'), { authenticated }));
}

test('the unnamed account serves every namespace', (t) => {
  t.is(allow([account('default')], query, false), 'no failure');
});

test('without any account the answer says how to configure one', (t) => {
  t.is(
    allow([], query),
    'unauthenticated: no Sysdig account is configured; set SYSDIG_REGION or SYSDIG_URL, and SYSDIG_TOKEN_FILE, where the scaler runs',
  );
});

test('a named account serves only the namespaces on its list, and only those who have shown who they are', (t) => {
  const listed = [account('team-a', { namespaces: ['shop'] })];
  const foreign = [account('team-a', { namespaces: ['bank'] })];
  const trigger = { ...query, account: 'team-a' };
  t.is(allow(listed, trigger), 'no failure');
  t.regex(allow(listed, trigger, false), /^permission-denied: account team-a serves listed namespaces only/);
  t.regex(allow(foreign, trigger), /^permission-denied: account team-a does not serve namespace shop/);
  t.regex(allow([account('team-a')], trigger), /^permission-denied: account team-a serves no namespace/);
  t.regex(
    allow([account('default')], trigger),
    /^permission-denied: account: expected one that the operator configured, got "team-a"/,
  );
});

test('queries: own answers only metrics of the own namespace and cluster', (t) => {
  const own = [account('default', { queries: 'own' })];
  t.is(allow(own, metric), 'no failure');
  t.is(allow(own, { ...metric, filter: 'status="500"' }), 'no failure');
  t.regex(allow(own, query), /metricName only/);
  t.regex(allow(own, { ...metric, namespace: 'bank' }), /answers for shop only, got bank/);
  t.regex(allow(own, { ...metric, cluster: 'other' }), /answers for prod only, got other/);
  t.regex(allow(own, { ...metric, filter: 'kube_namespace_name="bank"' }), /sets kube_namespace_name itself/);
  t.regex(
    allow(own, { ...metric, filter: 'kubernetes.cluster.name!="prod"' }),
    /sets kubernetes.cluster.name itself/,
  );
  t.regex(allow(own, { ...metric, filter: 'kube.namespace.name="bank"' }), /sets kube.namespace.name itself/);
});
