import test, { type ExecutionContext } from 'ava';
import { type Targets, targetsByName } from '#src/cluster/targets.ts';
import { Failure } from '#src/failure.ts';
import type { Attacks, AttackTopic } from '#src/sources/attacks.ts';
import type { Sample } from '#src/sources/source.ts';
import { Accounts } from '#src/sources/sysdig/accounts.ts';
import { Broker } from '#src/sources/sysdig/broker/broker.ts';
import { SysdigSource } from '#src/sources/sysdig/sysdig-source.ts';
import type { Series, Upstream, UpstreamAnswer } from '#src/sources/sysdig/upstream.ts';
import { noAttacks } from '#test/harness/no-attacks.ts';
import { sysdigAccount } from '#test/harness/sysdig-account.ts';
import { sysdigTrigger } from '#test/harness/sysdig-trigger.ts';
import { SettableClock } from '#test/sources/sysdig/settable-clock.ts';

const stranger = { authenticated: false };
const rate = { query: 'sum(rate(load[1m]))' };

/** A source over a real broker; the upstream answers what the test sets, after its latency. */
function setUp(t: ExecutionContext, attacks: Attacks = noAttacks, targets: Targets = targetsByName) {
  const clock = new SettableClock();
  const world = { answer: (): Series[] => [], asked: [] as string[], latencyMs: 100 };
  const heard: string[] = [];
  const query = async (_account: unknown, expression: string): Promise<UpstreamAnswer> => {
    world.asked.push(expression);
    await new Promise<void>((resolve) => clock.after(world.latencyMs, resolve));
    return { series: world.answer(), warnings: [] };
  };
  const observer = { request() {}, asked() {}, merged() {}, frozen() {}, rateLimit() {} };
  const broker = new Broker({ upstream: { query, data: query } as unknown as Upstream, clock, observer });
  t.teardown(() => broker.close());
  const source = new SysdigSource({
    accounts: new Accounts(
      new Map([
        ['default', sysdigAccount('http://127.0.0.1:1')],
        ['listed', sysdigAccount('http://127.0.0.1:1', { name: 'listed', namespaces: ['shop'] })],
      ]),
      undefined,
    ),
    attacks,
    targets,
    refusalOf: () => undefined,
    questions: broker,
    clock,
    listener: {
      bridged: (_, { message }) => heard.push(`bridged: ${message}`),
      measured: () => heard.push('measured'),
    },
    patienceMs: 1_000,
  });
  const measure = async (trigger = sysdigTrigger(rate), waitMs = 700): Promise<Sample | string> => {
    const asked = (async () => source.measure(trigger, stranger))().catch(
      (thrown: unknown) => Failure.from(thrown).message,
    );
    await clock.advance(waitMs);
    return asked;
  };
  const values = (...numbers: number[]) => {
    world.answer = () => numbers.map((value) => ({ labels: {}, value, at: clock.now() }));
  };
  const fails = () => {
    world.answer = () => {
      throw new Failure('unavailable', 'Sysdig is down');
    };
  };
  return { clock, source, measure, values, fails, world, heard };
}

test('a value is a sample of the time it was asked at, and active above the activation threshold', async (t) => {
  const { measure, values } = setUp(t);
  values(5);
  t.like(await measure(sysdigTrigger(rate)), { value: 5, active: true, origin: 'measured' });
  t.like(await measure(sysdigTrigger({ ...rate, activationThreshold: '5' })), { value: 5, active: false });
});

test('no data is an error, or the value that the user says it means', async (t) => {
  const { measure } = setUp(t);
  t.regex(String(await measure()), /^Sysdig has no data for the query; set metricUnavailableValue/);
  t.like(await measure(sysdigTrigger({ ...rate, metricUnavailableValue: '3' })), {
    value: 3,
    origin: 'unavailable-value',
  });
});

test('a failed Sysdig is never metricUnavailableValue', async (t) => {
  const { measure, fails } = setUp(t);
  fails();
  t.is(await measure(sysdigTrigger({ ...rate, metricUnavailableValue: '3' })), 'Sysdig is down');
});

test('the last value bridges an outage until it is staleMaxAge old', async (t) => {
  const { measure, values, fails, clock, heard } = setUp(t);
  const trigger = sysdigTrigger({ ...rate, onError: 'lastValue' });
  values(7);
  await measure(trigger);
  fails();
  await clock.advance(60_000);
  t.like(await measure(trigger, 1_500), { value: 7, active: true, origin: 'last-value' });
  t.true(heard.includes('bridged: Sysdig is down'));
  await clock.advance(240_000);
  t.is(await measure(trigger, 1_500), 'Sysdig is down');
  values(8);
  await clock.advance(60_000);
  t.like(await measure(trigger), { value: 8, origin: 'measured' });
});

test('an answer without data does not take the last good value away', async (t) => {
  const { measure, values, fails, clock } = setUp(t);
  const trigger = sysdigTrigger({ ...rate, onError: 'lastValue' });
  values(7);
  await measure(trigger);
  values();
  await clock.advance(14_000);
  t.regex(String(await measure(trigger)), /no data/);
  fails();
  await clock.advance(30_000);
  t.like(await measure(trigger, 1_500), { value: 7, origin: 'last-value' });
});

test('a trigger whose threshold was edited still has the last value of its question', async (t) => {
  const { measure, values, fails, clock } = setUp(t);
  values(7);
  await measure(sysdigTrigger({ ...rate, onError: 'lastValue' }));
  fails();
  await clock.advance(30_000);
  t.like(await measure(sysdigTrigger({ ...rate, onError: 'lastValue', threshold: '3' }), 1_500), {
    value: 7,
    origin: 'last-value',
  });
});

test('a silent Sysdig costs a trigger with a last value its patience, not its whole time', async (t) => {
  const { measure, values, world, clock } = setUp(t);
  const trigger = sysdigTrigger({ ...rate, onError: 'lastValue' });
  values(7);
  await measure(trigger);
  world.latencyMs = 120_000;
  await clock.advance(100_000);
  t.like(await measure(trigger, 1_000), { value: 7, origin: 'last-value' });
});

test('a wrong query is not papered over by a last value', async (t) => {
  const { measure, values, world, clock } = setUp(t);
  const trigger = sysdigTrigger({ ...rate, onError: 'lastValue' });
  values(7);
  await measure(trigger);
  world.answer = () => {
    throw new Failure('invalid', 'parse error', { httpStatus: 400 });
  };
  await clock.advance(60_000);
  t.is(await measure(trigger, 1_500), 'parse error');
});

test('memory does not answer with data that has grown older than maxAge', async (t) => {
  const { measure, values, world, clock } = setUp(t);
  const trigger = sysdigTrigger({ ...rate, maxAge: '20s' });
  values(7);
  await measure(trigger);
  world.latencyMs = 60_000;
  await clock.advance(15_000);
  t.like(await measure(trigger, 0), { value: 7 });
  await clock.advance(10_000);
  t.regex(String(await measure(trigger, 0)), /^the newest data is 2\ds old, expected at most 20s \(maxAge\)/);
});

test('a watched trigger hears each new sample, and nothing of failures', async (t) => {
  const { source, values, fails, clock } = setUp(t);
  const heard: number[] = [];
  const stop = new AbortController();
  values(1);
  source.watch(sysdigTrigger(rate), stranger, ({ value }) => heard.push(value), stop.signal);
  await clock.advance(1_000);
  values(2);
  await clock.advance(14_000);
  fails();
  await clock.advance(30_000);
  t.deepEqual(heard, [1, 2]);
  values(3);
  await clock.advance(60_000);
  t.is(heard.at(-1), 3);
  stop.abort();
  const before = heard.length;
  await clock.advance(60_000);
  t.is(heard.length, before);
});

test('comments are not sent, and a scalar is asked as a vector', async (t) => {
  const { measure, values, world } = setUp(t);
  values(1);
  await measure(sysdigTrigger({ query: 'scalar(sum(rate(load[1m]))) # a note' }));
  t.deepEqual(world.asked, ['vector(scalar(sum(rate(load[1m]))))']);
});

test('a last good value of a time that lies ahead is none', async (t) => {
  const { measure, values, fails, clock } = setUp(t);
  const trigger = sysdigTrigger({ ...rate, onError: 'lastValue' });
  values(7);
  await measure(trigger);
  fails();
  clock.setBackMs = 3_600_000;
  t.is(await measure(trigger, 1_500), 'Sysdig is down');
});

test('permission is asked before memory, of a call and of a stream', async (t) => {
  const { source, measure, values, clock } = setUp(t);
  values(7);
  const listed = sysdigTrigger({ ...rate, account: 'listed' });
  const friend = { authenticated: true };
  const asked = source.measure(listed, friend);
  await clock.advance(700);
  t.like(await asked, { value: 7 });
  t.like(source.measure(listed, friend), { value: 7 }, 'it is remembered');
  t.regex(String(await measure(listed)), /^account listed serves listed namespaces only/);
  let heard = 0;
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  source.watch(listed, stranger, () => heard++, stop.signal);
  await clock.advance(30_000);
  t.is(heard, 0);
});

test('one workload without data is no data for its trigger alone', async (t) => {
  const { source, clock, world } = setUp(t);
  const metric = { metricName: 'net.http.request.count' };
  const here = sysdigTrigger({ ...metric, workload: 'web' });
  const gone = sysdigTrigger({ ...metric, workload: 'gone', workloadType: 'deployment', namespace: 'bank' });
  world.answer = () => [
    {
      labels: { kube_namespace_name: 'shop', kube_workload_name: 'web', kube_workload_type: 'deployment' },
      value: 3,
      at: clock.now(),
    },
  ];
  const both = Promise.allSettled([here, gone].map((trigger) => source.measure(trigger, stranger)));
  await clock.advance(700);
  const [first, second] = await both;
  t.is(world.asked.length, 1);
  t.like(first, { value: { value: 3 } });
  t.like(second, { reason: { code: 'not-found' } });
  t.regex(
    String((second as PromiseRejectedResult).reason.message),
    /^Sysdig has no data for net.http.request.count of workload deployment gone in namespace bank;/,
  );
});

test('a second workload of the same name is told, with what sets them apart', async (t) => {
  const { measure, world, clock } = setUp(t);
  const rowOf = (type: string, cluster: string) => ({
    labels: {
      kube_cluster_name: cluster,
      kube_namespace_name: 'shop',
      kube_workload_name: 'web',
      kube_workload_type: type,
    },
    value: 3,
    at: clock.now(),
  });
  const metric = { metricName: 'net.http.request.count', workload: 'web' };
  world.answer = () => [rowOf('deployment', 'eu'), rowOf('statefulset', 'eu')];
  t.is(
    await measure(sysdigTrigger(metric)),
    'several workloads are named web: deployment, statefulset; name one with workloadType',
  );
  t.like(await measure(sysdigTrigger({ ...metric, workloadType: 'Deployment' })), { value: 3 });
  world.answer = () => [rowOf('deployment', 'eu'), rowOf('deployment', 'us')];
  await clock.advance(60_000);
  t.regex(
    String(await measure(sysdigTrigger(metric), 1_500)),
    /^the answer spans the clusters eu, us; name one:/,
  );
  t.like(await measure(sysdigTrigger(metric, 'us'), 1_500), { value: 3 });
});

test('says what a call is waiting for', (t) => {
  const { source } = setUp(t);
  t.is(source.awaits(sysdigTrigger(rate)), "Sysdig's answer to the query (account default)");
  t.is(
    source.awaits(sysdigTrigger({ metricName: 'net.bytes.in', account: 'b' })),
    "Sysdig's answer to net.bytes.in (account b)",
  );
});

test('the target tightens while the workload is under attack, and tells when it changes', (t) => {
  const asked: AttackTopic[] = [];
  const watchers: (() => void)[] = [];
  let isUnderAttack = false;
  const attacks: Attacks = {
    isUnderAttack(question) {
      asked.push(question);
      return isUnderAttack;
    },
    watch: (_, onChange) => watchers.push(onChange),
  };
  const { source } = setUp(t, attacks);
  const trigger = sysdigTrigger({
    ...rate,
    thresholdUnderAttack: '50',
    attackRules: 'Write below *',
    attackWindow: '2m',
  });
  let changes = 0;
  source.watchTarget(trigger, () => changes++, new AbortController().signal);
  t.is(source.target(trigger), 100);
  isUnderAttack = true;
  for (const tell of watchers) tell();
  t.is(source.target(trigger), 50);
  t.is(changes, 1);
  t.like(asked[0], {
    workload: { namespace: 'shop', kind: undefined, name: 'checkout' },
    filter: { minimumPriority: 'Critical', rules: ['Write below *'], tags: [], sources: [] },
    windowMs: 120_000,
  });
  t.is(source.target(sysdigTrigger(rate)), 100);
});

test('a metric without a workload is that of what the ScaledObject scales, also when that changes', async (t) => {
  let target: string | undefined;
  const { measure, values, world } = setUp(t, noAttacks, {
    of() {
      if (target === undefined) throw new Failure('unavailable', 'not known yet');
      return { kind: 'deployment', apiVersion: 'apps/v1', name: target };
    },
    watch() {},
  });
  values(5);
  const follows = sysdigTrigger({ metricName: 'jvm.heap.used' });
  t.is(await measure(follows), 'not known yet');
  t.deepEqual(world.asked, []);
  target = 'web';
  await measure(follows);
  t.regex(world.asked.join(), /kube_workload_name="web"/);
  target = 'cart';
  await measure(follows);
  t.regex(world.asked.join(), /kube_workload_name="cart"/);
  await measure(sysdigTrigger({ metricName: 'jvm.heap.used', workload: 'named' }));
  t.regex(world.asked.join(), /kube_workload_name="named"/);
});
