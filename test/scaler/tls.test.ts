import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import { Authority, type Pair } from '#test/harness/certificates.ts';
import { sample } from './settable-source.ts';
import { metricName, ref, startScaler } from './start-scaler.ts';

const authority = new Authority();
const strangers = new Authority('strangers');
test.after.always(() => {
  authority.close();
  strangers.close();
});

/** Files as Kubernetes mounts a secret: the names are links through `..data`, which is swapped in one step. */
class MountedSecret {
  readonly #directory = mkdtempSync(join(tmpdir(), 'secret-'));
  #version = 0;
  readonly certFile = join(this.#directory, 'tls.crt');
  readonly keyFile = join(this.#directory, 'tls.key');
  readonly clientCaFile = join(this.#directory, 'ca.crt');

  constructor(t: ExecutionContext<unknown>, pair: Pair, ca = authority.cert) {
    this.swap(pair, ca);
    for (const file of ['tls.crt', 'tls.key', 'ca.crt']) {
      symlinkSync(join('..data', file), join(this.#directory, file));
    }
    t.teardown(() => rmSync(this.#directory, { recursive: true }));
  }

  swap(pair: { cert: Buffer; key: Buffer }, ca = authority.cert): void {
    const version = mkdtempSync(join(this.#directory, `..${this.#version++}-`));
    writeFileSync(join(version, 'tls.crt'), pair.cert);
    writeFileSync(join(version, 'tls.key'), pair.key);
    writeFileSync(join(version, 'ca.crt'), ca);
    symlinkSync(version, join(this.#directory, '..data_tmp'));
    renameSync(join(this.#directory, '..data_tmp'), join(this.#directory, '..data'));
  }

  get server() {
    return { certFile: this.certFile, keyFile: this.keyFile };
  }

  get mutual() {
    return { ...this.server, clientCaFile: this.clientCaFile };
  }
}

const ca = authority.cert;

test('answers over TLS, to a client that nobody has verified', async (t) => {
  const { connect, source } = await startScaler(t, { tls: new MountedSecret(t, authority.server()).server });
  t.is((await connect({ ca }).getMetrics(ref, metricName)).metricValues.length, 1);
  t.false(source.askers[0]?.authenticated);
});

test('plain text is not an authenticated asker, and finds no answer on a TLS port', async (t) => {
  const plain = await startScaler(t);
  await plain.connect().getMetrics(ref, metricName);
  t.false(plain.source.askers[0]?.authenticated);
  const encrypted = await startScaler(t, { tls: new MountedSecret(t, authority.server()).server });
  await t.throwsAsync(encrypted.connect().isActive(ref), { code: status.UNAVAILABLE } as object);
});

test('a verified client is an authenticated asker, call after call', async (t) => {
  const { connect, source } = await startScaler(t, { tls: new MountedSecret(t, authority.server()).mutual });
  const client = connect({ ca, ...authority.issue({ commonName: 'keda' }) });
  await client.getMetrics(ref, metricName);
  await client.getMetrics(ref, metricName);
  t.deepEqual(
    source.askers.map(({ authenticated }) => authenticated),
    [true, true],
  );
});

test('with a client CA, a client without a certificate or with a stranger’s is cut', async (t) => {
  const { connect, source } = await startScaler(t, { tls: new MountedSecret(t, authority.server()).mutual });
  await t.throwsAsync(connect({ ca }).isActive(ref), { code: status.UNAVAILABLE } as object);
  const stranger = strangers.issue({ commonName: 'keda' });
  await t.throwsAsync(connect({ ca, ...stranger }).isActive(ref), { code: status.UNAVAILABLE } as object);
  t.is(source.measured, 0);
});

test('the list of names lets in DNS, URI and common names, compared exactly', async (t) => {
  const allowedNames = ['keda-operator.keda.svc', 'spiffe://cluster/ns/keda/sa/keda', 'keda'];
  const tls = { ...new MountedSecret(t, authority.server()).mutual, allowedNames };
  const { connect, heard } = await startScaler(t, { tls });
  for (const subject of [
    { commonName: 'other', alternativeNames: ['DNS:keda-operator.keda.svc'] },
    { alternativeNames: ['URI:spiffe://cluster/ns/keda/sa/keda'] },
    { commonName: 'keda' },
  ]) {
    t.is((await connect({ ca, ...authority.issue(subject) }).getMetricSpec(ref)).metricSpecs.length, 1);
  }
  for (const subject of [
    { commonName: 'KEDA' },
    { commonName: 'keda2', alternativeNames: ['DNS:x.keda-operator.keda.svc'] },
    { alternativeNames: ['URI:spiffe://cluster/ns/keda/sa/keda/DNS:keda'] },
  ]) {
    const client = connect({ ca, ...authority.issue(subject) });
    const denied = { code: status.PERMISSION_DENIED } as object;
    await t.throwsAsync(client.getMetricSpec(ref), denied);
    await t.throwsAsync(client.getMetrics(ref, metricName), denied);
    const error = await t.throwsAsync(client.isActive(ref), denied);
    t.true(error.message.includes(subject.commonName ?? subject.alternativeNames[0]?.slice(4) ?? '-'));
    t.is((await client.streamIsActive(ref).ended).code, status.PERMISSION_DENIED);
    t.is((await client.streamMetricSpec(ref).ended).code, status.PERMISSION_DENIED);
  }
  t.is(heard.failures.length, 15);
  t.regex(
    heard.failures[0] ?? '',
    /^shop\/checkout .*permission-denied: client certificate: expected one of the allowed/,
  );
});

test('TLS 1.1 is refused, 1.2 is not', async (t) => {
  const { address } = await startScaler(t, { tls: new MountedSecret(t, authority.server()).server });
  const port = Number(address.split(':')[1]);
  const shake = (version: 'TLSv1.1' | 'TLSv1.2') =>
    new Promise<string | null>((resolve, reject) => {
      const socket: TLSSocket = connectTls({
        port,
        ca,
        servername: 'localhost',
        ALPNProtocols: ['h2'],
        minVersion: version,
        maxVersion: version,
        ciphers: 'DEFAULT@SECLEVEL=0',
      });
      socket.on('error', reject);
      socket.on('secureConnect', () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
    });
  await t.throwsAsync(shake('TLSv1.1'));
  t.is(await shake('TLSv1.2'), 'TLSv1.2');
});

test('a rotated certificate serves new connections, and open streams live on', async (t) => {
  const secret = new MountedSecret(t, authority.server());
  const { connect, source, server } = await startScaler(t, { tls: secret.server });
  source.set(sample(0));
  const client = connect({ ca });
  const stream = client.streamIsActive(ref);
  await stream.opened();

  const other = new Authority('the next authority');
  t.teardown(() => other.close());
  secret.swap(other.server());
  await server.reloadTls();

  t.is((await connect({ ca: other.cert }).getMetricSpec(ref)).metricSpecs.length, 1);
  await t.throwsAsync(connect({ ca }).isActive(ref), { code: status.UNAVAILABLE } as object);
  source.set(sample(1));
  t.is((await stream.received(1)).length, 1);
  t.is((await client.getMetricSpec(ref)).metricSpecs.length, 1);
});

test('a rotated client CA decides about new connections', async (t) => {
  const secret = new MountedSecret(t, authority.server());
  const { connect, server } = await startScaler(t, { tls: secret.mutual });
  const before = authority.issue({ commonName: 'keda' });
  await connect({ ca, ...before }).getMetricSpec(ref);
  secret.swap(authority.server(), strangers.cert);
  await server.reloadTls();
  await t.throwsAsync(connect({ ca, ...before }).isActive(ref), { code: status.UNAVAILABLE } as object);
  await connect({ ca, ...strangers.issue({ commonName: 'keda' }) }).getMetricSpec(ref);
});

test('the files are looked at every 10 s', async (t) => {
  const secret = new MountedSecret(t, authority.server());
  const heard: string[] = [];
  const changed = Promise.withResolvers<void>();
  const log: Log = {
    debug() {},
    info: (_fields, message) => {
      heard.push(message);
      changed.resolve();
    },
    warn() {},
    error() {},
  };
  const { clock } = await startScaler(t, { tls: secret.server, log });
  const startedWith = heard.length;
  secret.swap(authority.server());
  await clock.advance(10_000);
  await changed.promise;
  t.is(startedWith, 0);
  t.deepEqual(heard, ['TLS files have changed: new connections use them']);
});

test('half-written, missing and foreign files leave the earlier ones in use, with one warning', async (t) => {
  const pair = authority.server();
  const secret = new MountedSecret(t, pair);
  const warnings: string[] = [];
  const log: Log = {
    debug() {},
    info() {},
    warn: (fields) => warnings.push((fields as { problem: string }).problem),
    error() {},
  };
  const { connect, server } = await startScaler(t, { tls: secret.server, log });
  const wrong: [Pair, RegExp][] = [
    [
      { cert: pair.cert, key: authority.server().key },
      /tls\.key: expected the private key of .*tls\.crt, got another/,
    ],
    [{ cert: pair.cert.subarray(0, 200), key: pair.key }, /tls\.crt: expected PEM certificates/],
    [{ cert: pair.cert, key: pair.key.subarray(0, 60) }, /tls\.key: expected an unencrypted PEM private key/],
  ];
  for (const [files, message] of wrong) {
    warnings.length = 0;
    secret.swap(files);
    for (let i = 0; i < 4; i++) await server.reloadTls();
    t.is(warnings.length, 1);
    t.regex(warnings[0] ?? '', message);
    t.is((await connect({ ca }).getMetricSpec(ref)).metricSpecs.length, 1);
  }
});

test('a missing or wrong file at the start is a failure that names it', async (t) => {
  const pair = authority.server();
  const secret = new MountedSecret(t, pair);
  await t.throwsAsync(startScaler(t, { tls: { ...secret.server, keyFile: '/nowhere/tls.key' } }), {
    instanceOf: Failure,
    message: '/nowhere/tls.key: expected a PEM file for TLS, got ENOENT',
  });
  await t.throwsAsync(startScaler(t, { tls: { ...secret.server, clientCaFile: secret.keyFile } }), {
    instanceOf: Failure,
    message: /tls\.key: expected PEM certificates, got something else/,
  });
  await t.throwsAsync(startScaler(t, { tls: { ...secret.server, allowedNames: ['keda'] } }), {
    instanceOf: Failure,
    message: /allowed client names: expected a client CA file beside them/,
  });
});
