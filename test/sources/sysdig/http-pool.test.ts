import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Failure } from '#src/failure.ts';
import { type Destination, HttpPool, type HttpPoolOptions } from '#src/sources/sysdig/http-pool.ts';
import { Authority } from '#test/harness/certificates.ts';
import { type SysdigFake, startSysdigFake } from '#test/harness/sysdig-fake.ts';

const never = new AbortController().signal;
const get = { method: 'GET', path: '/prometheus/api/v1/query?query=1', headers: {} } as const;

test('keeps its connections for later requests', async (t) => {
  const { pool, to, fake } = await setUp(t);
  for (let request = 0; request < 10; request++) await pool.send(to, get, never);
  t.is(fake.total, 10);
  // undici frees a connection a moment after its answer has resolved, so a second one may be opened meanwhile.
  t.true(fake.connections <= 2);
});

test('checks the server against the given CA, and against nothing else', async (t) => {
  const { pool, to, ca } = await setUp(t, { tls: true });
  t.is((await pool.send({ ...to, ca }, get, never)).status, 200);
  const failure = await t.throwsAsync(pool.send(to, get, never), { instanceOf: Failure });
  t.is(failure.code, 'unavailable');
  t.regex(failure.message, /certificate/);
});

test('goes through the proxy of the account, by a tunnel, to the given CA', async (t) => {
  const { pool, to, ca } = await setUp(t, { tls: true });
  const proxy = await startProxy(t, 200);
  t.is((await pool.send({ ...to, ca, proxy: `http://me:word@${proxy.host}` }, get, never)).status, 200);
  t.deepEqual(proxy.tunnels, [new URL(to.baseUrl).host]);
  t.deepEqual(proxy.credentials, [`Basic ${Buffer.from('me:word').toString('base64')}`]);
});

test('a proxy that refuses is named as the reason', async (t) => {
  const { pool, to, ca } = await setUp(t, { tls: true });
  const proxy = await startProxy(t, 407);
  const sent = pool.send({ ...to, ca, proxy: `http://${proxy.host}` }, get, never);
  const failure = await t.throwsAsync(sent, { instanceOf: Failure });
  t.is(failure.code, 'unavailable');
  t.regex(failure.message, /407/);
});

test('goes through the proxy of the environment, except to loopback and to what NO_PROXY names', async (t) => {
  const proxy = await startProxy(t, 502);
  const environment = { HTTPS_PROXY: proxy.host, NO_PROXY: 'sysdig.invalid' };
  const { pool, to, ca } = await setUp(t, { tls: true, environment });
  t.is((await pool.send({ ...to, ca }, get, never)).status, 200);
  t.deepEqual(proxy.tunnels, []);
  await t.throwsAsync(pool.send({ ...to, baseUrl: 'https://sysdig.invalid' }, get, never), {
    message: /ENOTFOUND|EAI_AGAIN/,
  });
  t.deepEqual(proxy.tunnels, []);
  await t.throwsAsync(pool.send({ ...to, baseUrl: 'https://other.invalid' }, get, never), { message: /502/ });
  t.deepEqual(proxy.tunnels, ['other.invalid:443']);
});

test('an address that is no proxy is told without being quoted', async (t) => {
  const { pool, to } = await setUp(t);
  for (const proxy of ['socks5://me:word@proxy:1', 'http://me:word@', 'me:word@:x']) {
    const failure = await t.throwsAsync(pool.send({ ...to, proxy }, get, never), { instanceOf: Failure });
    t.regex(failure.message, /^proxy: expected an address such as/);
    t.false(failure.message.includes('word'));
  }
});

test('a body in an encoding that was never offered, or broken, is no answer', async (t) => {
  const { pool, to, fake } = await setUp(t);
  for (const encoding of ['compress', 'gzip', 'constructor']) {
    fake.answer({ headers: { 'content-encoding': encoding }, body: 'plain' });
    const failure = await t.throwsAsync(pool.send(to, get, never), { instanceOf: Failure });
    t.is(failure.code, 'unavailable');
    t.regex(failure.message, new RegExp(`a body .*${encoding}`));
  }
});

async function setUp(
  t: ExecutionContext,
  { tls = false, ...options }: HttpPoolOptions & { tls?: boolean } = {},
): Promise<{ pool: HttpPool; to: Destination; fake: SysdigFake; ca: string }> {
  const pool = new HttpPool(options);
  const authority = tls ? new Authority() : undefined;
  const fake = await startSysdigFake({ token: undefined, ...(authority && { tls: authority.server() }) });
  t.teardown(async () => {
    await pool.close();
    await fake.stop();
    authority?.close();
  });
  const to = { baseUrl: fake.baseUrl, proxy: undefined, ca: undefined };
  return { pool, to, fake, ca: authority?.cert.toString() ?? '' };
}

/** A CONNECT proxy that answers every tunnel with the given status. */
async function startProxy(t: ExecutionContext, status: number) {
  const tunnels: string[] = [];
  const credentials: (string | undefined)[] = [];
  const server = createServer();
  const open = new Set<Socket>();
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    tunnels.push(request.url ?? '');
    credentials.push(request.headers['proxy-authorization']);
    open.add(socket);
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} Refused\r\n\r\n`);
      return;
    }
    const [host, port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host);
    for (const end of [socket, upstream]) end.on('error', () => {});
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, tunnels, credentials };
}
