import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createMetrics } from '#src/operations/metrics.ts';
import { OperationsServer, type OperationsView } from '#src/operations/operations-server.ts';
import { describeTrigger, triggerReadings } from '#src/operations/status.ts';
import { noReadings } from '#test/harness/no-readings.ts';

async function serve(t: ExecutionContext, view: Partial<OperationsView> = {}): Promise<string> {
  const server = new OperationsServer({
    rearm: () => false,
    notReadyBecause: () => undefined,
    metrics: async () => ({ contentType: 'text/plain', text: 'metrics' }),
    status: () => ({ triggers: [] }),
    statusToken: () => undefined,
    ...view,
  });
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => server.close());
  return `http://127.0.0.1:${port}`;
}

test('answers health, readiness, metrics and status', async (t) => {
  const url = await serve(t);
  for (const path of ['/healthz', '/readyz', '/metrics', '/status'])
    t.is((await fetch(url + path)).status, 200, path);
  t.is((await fetch(`${url}/other`)).status, 404);
  t.is((await fetch(`${url}/metrics`, { method: 'POST' })).status, 405);
});

test('arms a rule again for whoever may see the status', async (t) => {
  const asked: string[] = [];
  const url = await serve(t, { rearm: (rule) => asked.push(rule) === 1 });
  const post = (path: string) => fetch(url + path, { method: 'POST' });
  t.is((await fetch(`${url}/rearm?rule=a`)).status, 405);
  t.is((await post('/rearm')).status, 400);
  t.is((await post('/rearm?rule=Write%20below%20etc')).status, 200);
  t.is((await post('/rearm?rule=another')).status, 404);
  t.deepEqual(asked, ['Write below etc', 'another']);
});

test('is not ready while it says why, and is healthy all the same', async (t) => {
  const url = await serve(t, { notReadyBecause: () => 'draining' });
  const ready = await fetch(`${url}/readyz`);
  t.deepEqual([ready.status, await ready.text()], [503, 'draining\n']);
  t.is((await fetch(`${url}/healthz`)).status, 200);
});

test('a defect in a page is a 500 and nothing more', async (t) => {
  const url = await serve(t, {
    status: () => {
      throw new Error('secret');
    },
  });
  const answer = await fetch(`${url}/status`);
  t.is(answer.status, 500);
  t.is(await answer.text(), '');
  t.is((await fetch(`${url}/healthz`)).status, 200);
});

test('rubbish on the port does not disturb others', async (t) => {
  const url = await serve(t);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.write('\u0000\u0001 rubbish\r\n\r\n');
  await once(socket, 'close');
  t.is((await fetch(`${url}/healthz`)).status, 200);
});

test('metrics count calls, streams and questions under bounded labels', async (t) => {
  const metrics = createMetrics(noReadings);
  metrics.called('GetMetrics', 'OK', 3);
  metrics.called('GetMetrics', 'OK', 3);
  metrics.opened('StreamIsActive');
  metrics.pushed('StreamIsActive');
  metrics.asked('default', 'memory');
  metrics.merged('default', 63);
  metrics.request('default', 'ok', 1_500);
  metrics.frozen('default', 30_000);
  const text = await metrics.render();
  for (const line of [
    'external_scaler_call_duration_seconds_count{method="GetMetrics",code="OK"} 2',
    'external_scaler_open_streams{method="StreamIsActive"} 1',
    'external_scaler_sysdig_questions_total{account="default",how="memory"} 1',
    'external_scaler_sysdig_merged_questions_total{account="default"} 63',
    'external_scaler_sysdig_request_duration_seconds_sum{account="default",outcome="ok"} 1.5',
    'external_scaler_sysdig_frozen_seconds{account="default"} 30',
    'external_scaler_oldest_answer_age_seconds Nan',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    t.true(text.includes(line), `${line}\n${text.slice(0, 3000)}`);
  }
});

test('ages are those of triggers that KEDA still asks for', (t) => {
  const now = 10_000_000;
  const quiet = { source: 'sysdig', active: true };
  const states = [
    { at: now - 20_000, origin: 'measured', askedAt: now - 1_000, ...quiet },
    { at: now - 90_000, origin: 'last-value', askedAt: now - 1_000, ...quiet },
    { at: now - 900_000, origin: 'last-value', askedAt: now - 900_000, ...quiet },
    { at: undefined, origin: undefined, askedAt: now, source: 'falco', active: undefined },
    { at: now, origin: 'measured', askedAt: now, source: 'falco', active: true },
    { at: now, origin: 'measured', askedAt: now - 900_000, source: 'falco', active: true },
  ];
  const readings = triggerReadings(
    () => states,
    () => now,
  );
  t.is(readings.oldestAnswerSeconds(), 90);
  t.is(readings.triggersOnLastValue(), 1);
  t.is(readings.activeAttackTriggers(), 1);
  t.is(triggerReadings(() => [], Date.now).oldestAnswerSeconds(), undefined);
});

test('a trigger is described in ages and ISO times', (t) => {
  t.deepEqual(
    describeTrigger(
      {
        at: 1_000,
        origin: 'measured',
        askedAt: 3_000,
        lastErrorAt: undefined,
        source: 'sysdig',
        active: true,
      },
      4_500,
    ),
    {
      origin: 'measured',
      ageSeconds: 3.5,
      askedAt: '1970-01-01T00:00:03.000Z',
      lastErrorAt: undefined,
      source: 'sysdig',
      active: true,
    },
  );
});
