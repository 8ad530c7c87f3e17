import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import type { Sender } from '#src/alerts/alert.ts';
import { Subjects } from '#src/alerts/subjects.ts';
import { systemClock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import { type Credential, Credentials } from '#src/ingest/credentials.ts';
import { IngestServer, type IngestServerOptions } from '#src/ingest/ingest-server.ts';
import { Intake } from '#src/ingest/intake.ts';
import { Repeats } from '#src/ingest/repeats.ts';
import { Sensors } from '#src/ingest/sensors.ts';
import type { Entry } from '#src/journal/entry.ts';
import { falcoAlert } from '#test/harness/falco-alert.ts';

interface Setting {
  readonly credentials?: readonly Credential[];
  readonly clusterName?: string;
  readonly ownUser?: string;
  readonly overload?: IngestServerOptions['overload'];
}

/** An ingest on a free port over records that the test can read and break. */
async function ingest(
  t: ExecutionContext,
  { credentials = [], clusterName, ownUser, overload }: Setting = {},
) {
  const entries: Entry[] = [];
  const counted: Record<string, number> = {};
  const lines: string[] = [];
  const disk: { problem: string | undefined; settle: Promise<void> } = {
    problem: undefined,
    settle: Promise.resolve(),
  };
  const records = {
    backlog: 0,
    record(more: readonly Entry[]) {
      entries.push(...more);
      const { problem } = disk;
      return problem === undefined ? disk.settle : Promise.reject(new Failure('unavailable', problem));
    },
  };
  const observer = {
    answered() {},
    counted(sender: Sender, outcome: string, count: number) {
      const key = `${sender} ${outcome}`;
      counted[key] = (counted[key] ?? 0) + count;
    },
  };
  const warn = (fields: object, text: string) => lines.push(`${text} ${JSON.stringify(fields)}`);
  const server = new IngestServer({
    credentials: new Credentials(credentials),
    sensors: new Sensors({ startedAt: 0 }),
    intake: new Intake({
      records,
      subjects: new Subjects(),
      repeats: new Repeats(),
      observer,
      clock: systemClock,
      retentionMs: 86_400_000,
      clusterName,
      ownUser,
    }),
    observer,
    clock: systemClock,
    log: { debug() {}, info() {}, warn, error: warn },
    overload,
  });
  t.teardown(() => server.drain());
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${port}/ingest/`;
  const post = async (path: string, body: string | Buffer | object, headers: Record<string, string> = {}) => {
    const sent =
      typeof body === 'string' ? body : Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body);
    const response = await fetch(url + path, { method: 'POST', body: sent, headers });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  return { server, port, url, post, entries, counted, lines, disk };
}

function token(name: string, text: string | undefined, parts: Partial<Credential> = {}): Credential {
  return { name, token: () => text, ...parts };
}

test('Falco is answered 204 without a body, and its alert counts', async (t) => {
  const { post, entries, counted } = await ingest(t);
  const { status, text } = await post('falco', falcoAlert());
  t.deepEqual([status, text], [204, '']);
  t.is(entries.length, 1);
  t.like(entries[0]?.subject, { pod: 'checkout-7d9f8b6c5d-x2x4z', sender: 'falco' });
  t.deepEqual(counted, { 'falco accepted': 1 });
});

test('PUT is taken as well, and any type that a sender of JSON uses', async (t) => {
  const { url, post, entries } = await ingest(t);
  t.is((await fetch(`${url}falco`, { method: 'PUT', body: JSON.stringify(falcoAlert()) })).status, 204);
  for (const type of [
    'application/json; charset=utf-8',
    'application/cloudevents+json',
    'text/plain',
    'application/x-ndjson',
  ]) {
    t.is((await post('falco', falcoAlert(), { 'Content-Type': type })).status, 204, type);
  }
  t.is((await post('falco', falcoAlert(), { 'Content-Type': 'application/xml' })).status, 415);
  t.true(entries.length >= 1);
});

test('the others are answered when it is durable, and told to come again when it is not', async (t) => {
  const { post, entries, disk } = await ingest(t);
  let release: () => void = () => {};
  disk.settle = new Promise((resolve) => {
    release = resolve;
  });
  let answered = false;
  const waiting = post('fluentbit', [falcoAlert(), falcoAlert()]).then((answer) => {
    answered = true;
    return answer;
  });
  while (entries.length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.false(answered);
  release();
  const { status, text } = await waiting;
  t.is(status, 200);
  t.deepEqual(JSON.parse(text), { accepted: 2, problems: [] });
  t.is(entries.length, 1, 'summed');
  t.is(entries[0]?.count, 2);
  disk.problem = 'the disk is full';
  const refused = await post('fluentbit', [falcoAlert()]);
  t.is(refused.status, 503);
  t.regex(refused.text, /the disk is full/);
  t.is(refused.headers.get('retry-after'), '5');
  t.is((await post('falco', falcoAlert())).status, 204, 'Falco never sends again: it counts in memory');
});

test('a bad body is told what was expected; a partly bad one keeps what is good', async (t) => {
  const { post, entries } = await ingest(t);
  const text = await post('falco', 'a line of text', { 'Content-Type': 'text/plain' });
  t.is(text.status, 400);
  t.regex(text.text, /expected JSON.*json_output: true/s);
  const partly = await post('fluentbit', [falcoAlert(), { rule: 1 }]);
  t.is(partly.status, 200);
  t.like(JSON.parse(partly.text), { accepted: 1, malformed: 1 });
  t.regex(JSON.parse(partly.text).problems[0], /alert 2/);
  t.is(entries.length, 1);
});

test('what Alertmanager and Sysdig say again is not counted again', async (t) => {
  const { post, entries, counted, disk } = await ingest(t);
  const alert = {
    status: 'firing',
    labels: { alertname: 'Falco', priority: 'Critical', namespace: 'shop', pod: 'web-0' },
    startsAt: new Date().toISOString(),
    fingerprint: 'f1',
  };
  const body = { version: '4', alerts: [alert] };
  disk.problem = 'the disk is full';
  t.is((await post('alertmanager', body)).status, 503);
  disk.problem = undefined;
  t.is(
    (await post('alertmanager', body)).status,
    200,
    'it was counted with the first, and is written by now',
  );
  t.is(entries.length, 1);
  t.is(counted['alertmanager repeated'], 1);
  await post('alertmanager', { version: '4', alerts: [{ ...alert, status: 'resolved' }] });
  await post('alertmanager', {
    version: '4',
    alerts: [{ ...alert, startsAt: new Date(Date.now() - 1_000).toISOString() }],
  });
  t.is(entries.length, 2, 'another firing is another alert');
});

test('alerts without a pod, of another cluster and of the past are counted as such', async (t) => {
  const { post, entries, counted } = await ingest(t, { clusterName: 'prod' });
  await post('falco', falcoAlert({ namespace: null, pod: null }));
  await post('falco', {
    ...falcoAlert(),
    output_fields: { 'k8s.ns.name': 'shop', 'k8s.pod.name': 'a-0', cluster: 'test' },
  });
  await post('falco', falcoAlert({ at: Date.now() - 2 * 86_400_000 }));
  await post('falco', falcoAlert({ source: 'internal' }));
  t.is(entries.length, 0);
  t.deepEqual(counted, { 'falco podless': 1, 'falco foreign': 1, 'falco late': 1, 'falco sign-of-life': 1 });
});

test('what our own requests to the API server raise never feeds back', async (t) => {
  const ownUser = 'system:serviceaccount:keda:external-scaler-sysdig';
  const { post, entries, counted } = await ingest(t, { ownUser });
  const audited = (user: string) => ({
    ...falcoAlert({ source: 'k8s_audit' }),
    output_fields: {
      'ka.user.name': user,
      'ka.target.resource': 'pods',
      'ka.target.namespace': 'shop',
      'ka.target.name': 'checkout-0',
    },
  });
  await post('falco', audited(ownUser));
  await post('falco', audited('system:serviceaccount:shop:attacker'));
  t.is(entries.length, 1);
  t.deepEqual(counted, { 'falco own': 1, 'falco accepted': 1 });
});

test('a token opens, in the header or behind the address of Falco, and a rotated one at once', async (t) => {
  const now = { token: 'first' };
  const { post, lines } = await ingest(t, { credentials: [{ name: 'default', token: () => now.token }] });
  t.is((await post('falco', falcoAlert())).status, 401);
  t.is((await post('falco?token=wrong', falcoAlert())).status, 401);
  t.is((await post('falco?token=first', falcoAlert())).status, 204);
  t.is((await post('fluentbit?token=first', [falcoAlert()])).status, 401, 'others can send a header');
  const authorization = { Authorization: 'Bearer first' };
  t.is((await post('falco', falcoAlert(), authorization)).status, 204);
  now.token = 'second';
  t.is((await post('falco', falcoAlert(), authorization)).status, 401);
  t.is((await post('falco', falcoAlert(), { Authorization: 'Bearer second' })).status, 204);
  t.notRegex(lines.join('\n'), /first|second|=wrong/);
});

test('a credential without a token yet opens nothing', async (t) => {
  const { post } = await ingest(t, { credentials: [token('default', undefined)] });
  t.is((await post('falco?token=', falcoAlert())).status, 401);
  t.is((await post('falco', falcoAlert(), { Authorization: 'Bearer undefined' })).status, 401);
});

test('a credential speaks for its namespaces and senders only', async (t) => {
  const { post, entries, counted } = await ingest(t, {
    credentials: [token('shop', 'secret', { namespaces: ['shop'], senders: ['falco', 'fluentbit'] })],
  });
  const headers = { Authorization: 'Bearer secret' };
  t.is((await post('sysdig', [], headers)).status, 403);
  const other = await post('falco', falcoAlert({ namespace: 'bank' }), headers);
  t.is(other.status, 403);
  t.regex(other.text, /namespaces/);
  const mixed = await post('fluentbit', [falcoAlert(), falcoAlert({ namespace: 'bank' })], headers);
  t.like(JSON.parse(mixed.text), { accepted: 1, forbidden: 1 });
  t.is(entries.length, 1);
  t.is(counted['falco forbidden'], 1);
});

test('a body that announces more than is taken is refused before it comes', async (t) => {
  const { port } = await ingest(t);
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(`POST /ingest/falco HTTP/1.1\r\nHost: x\r\nContent-Length: ${300 * 1024}\r\n\r\n`);
  const [head] = (await once(socket, 'data')) as [Buffer];
  t.regex(head.toString(), /^HTTP\/1\.1 413 /);
});

test('a body may be packed, but not to more than is taken', async (t) => {
  const { post } = await ingest(t);
  const gzip = { 'Content-Encoding': 'gzip' };
  t.is((await post('fluentbit', gzipSync(JSON.stringify([falcoAlert()])), gzip)).status, 200);
  t.is((await post('fluentbit', gzipSync(Buffer.alloc(5 * 1024 * 1024, 0x20)), gzip)).status, 413);
  t.is((await post('fluentbit', 'not gzip', gzip)).status, 415);
  t.is((await post('fluentbit', 'x', { 'Content-Encoding': 'br' })).status, 415);
});

test('an unknown path and a wrong method are told what is there', async (t) => {
  const { url, post } = await ingest(t);
  const unknown = await post('flaco', '{}');
  t.is(unknown.status, 404);
  t.regex(unknown.text, /\/ingest\/falco, \/ingest\/sysdig/);
  t.is((await fetch(`${url}falco`)).status, 405);
});

test('under overload nothing is read: senders that retry are told when, and drops are counted', async (t) => {
  const { post, counted, entries } = await ingest(t, { overload: { bytes: 10 } });
  const shed = await post('fluentbit', [falcoAlert()]);
  t.is(shed.status, 503);
  t.is(shed.headers.get('retry-after'), '1');
  t.is((await post('falco', falcoAlert())).status, 503);
  t.deepEqual(counted, { 'fluentbit shed': 1, 'falco shed': 1 });
  t.is(entries.length, 0);
});

test('a refused sender never holds a connection', async (t) => {
  const { port } = await ingest(t, { credentials: [token('default', 'secret')] });
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  // The head announces a body that never comes.
  socket.write('POST /ingest/falco HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => socket.once('close', resolve));
  t.regex(text, /^HTTP\/1\.1 401 Unauthorized\r\n.*Connection: close/s);
});

test('a drain answers what is being received, and then takes nothing more', async (t) => {
  const { server, post, url } = await ingest(t);
  t.is((await post('falco', falcoAlert())).status, 204);
  await server.drain();
  await t.throwsAsync(fetch(`${url}falco`, { method: 'POST', body: '{}' }));
});

test('no text of an alert reaches a log line raw', async (t) => {
  const { post, lines } = await ingest(t);
  await post('falco', { rule: 'r', priority: '\u001b[31mCritical\nfake log line' });
  t.is(lines.length, 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  t.notRegex(lines[0] ?? '', /[\u0000-\u001f]/);
});
