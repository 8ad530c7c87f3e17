import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import test from 'ava';
import { hpaOf, replicasSince } from '#e2e/harness/autoscaler.ts';
import { type Case, openCase } from '#e2e/harness/case.ts';
import { scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';
import { Authority, type Pair } from '#test/harness/certificates.ts';
import { podName } from '#test/harness/falco-alert.ts';
import { KedaClient, type KedaTls } from '#test/harness/keda-client.ts';
import type { ScalerProcess } from '#test/harness/scaler-process.ts';

const infections = {
  source: 'falco',
  metric: 'infections',
  threshold: '1',
  window: '10m',
  enableTLS: 'true',
};

test('KEDA calls over TLS, and goes on when the certificate is rotated, along with its authority', async (t) => {
  const [old, next] = [new Authority('old authority'), new Authority('next authority')];
  t.teardown(() => [old, next].map((authority) => authority.close()));
  const story = await openCase(t, 'tls');
  const files = new CertificateFiles(story.folder);
  files.write(old.server());
  const scaler = await story.startScaler(files.settings);
  await authenticate(story, 'old', { caCert: old.cert });
  await scale(story, scaler, 'before', 'old');
  await attack(story, scaler, 'before', 0);
  await story.untilReplicas('before', 1);

  // A bundle that trusts both comes first.
  await authenticate(story, 'both', { caCert: Buffer.concat([old.cert, next.cert]) });
  const rotated = next.server();
  files.write(rotated);
  await story.until('the new certificate is served', () => serves(scaler, rotated));
  await scale(story, scaler, 'after', 'both');
  await attack(story, scaler, 'after', 0);
  await story.untilReplicas('after', 1);
  await attack(story, scaler, 'before', 1);
  await story.untilReplicas('before', 2);
  t.deepEqual(replicasSince(story, 'before', 0), [0, 1, 2]);
  t.deepEqual(replicasSince(story, 'after', 0), [0, 1]);
});

test('with mTLS KEDA shows its client certificate, a new one too, and nobody without one is answered', async (t) => {
  const authority = new Authority();
  t.teardown(() => authority.close());
  const story = await openCase(t, 'mtls');
  const files = new CertificateFiles(story.folder);
  files.write(authority.server());
  const clientCa = join(story.folder, 'client-ca.crt');
  writeFileSync(clientCa, authority.cert);
  const scaler = await story.startScaler({
    ...files.settings,
    GRPC_TLS_CLIENT_CA_FILE: clientCa,
    GRPC_TLS_ALLOWED_NAMES: 'keda',
  });
  const keda = { commonName: 'keda', alternativeNames: ['DNS:keda'] };
  const client = () => asParameters(authority.issue(keda));
  await authenticate(story, 'first', { caCert: authority.cert, ...client() });
  await scale(story, scaler, 'before', 'first');
  await attack(story, scaler, 'before', 0);
  await story.untilReplicas('before', 1);

  const rotated = authority.server();
  files.write(rotated);
  await story.until('the new certificate is served', () => serves(scaler, rotated));
  await authenticate(story, 'second', { caCert: authority.cert, ...client() });
  await scale(story, scaler, 'after', 'second');
  await attack(story, scaler, 'after', 0);
  await story.untilReplicas('after', 1);

  await authenticate(story, 'none', { caCert: authority.cert });
  await story.apply(...scaled(scaler, 'stranger', 'none'));
  await attack(story, scaler, 'stranger', 0);
  await story.until('KEDA gives up on it', () => isReady(story, 'stranger', 'False'));
  t.is(await hpaOf(story, 'stranger'), undefined);
  await t.throwsAsync(() => ask(scaler, { ca: authority.cert }), { message: /UNAVAILABLE/ });
  await t.notThrowsAsync(() => ask(scaler, { ca: authority.cert, ...authority.issue(keda) }));
  t.is(story.replicas.now('stranger'), 0);
  await attack(story, scaler, 'before', 1);
  await story.untilReplicas('before', 2);
  t.deepEqual(replicasSince(story, 'before', 0), [0, 1, 2]);
});

/** The server's certificate as the scaler reads it. */
class CertificateFiles {
  readonly #cert: string;
  readonly #key: string;

  constructor(folder: string) {
    this.#cert = join(folder, 'tls.crt');
    this.#key = join(folder, 'tls.key');
  }

  get settings() {
    return { GRPC_TLS_CERT_FILE: this.#cert, GRPC_TLS_KEY_FILE: this.#key };
  }

  write({ cert, key }: Pair): void {
    writeFileSync(this.#cert, cert);
    writeFileSync(this.#key, key);
  }
}

function asParameters({ cert, key }: Pair) {
  return { tlsClientCert: cert, tlsClientKey: key };
}

/** A TriggerAuthentication whose parameters come from a Secret of the same name. */
async function authenticate(story: Case, name: string, parameters: Readonly<Record<string, Buffer>>) {
  const data = Object.fromEntries(
    Object.entries(parameters).map(([key, pem]) => [key, pem.toString('base64')]),
  );
  const secretTargetRef = Object.keys(parameters).map((parameter) => ({ parameter, name, key: parameter }));
  await story.apply(
    { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data },
    {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'TriggerAuthentication',
      metadata: { name },
      spec: { secretTargetRef },
    },
  );
}

function scaled({ grpc }: ScalerProcess, name: string, authentication: string): object[] {
  const triggers = [trigger(grpc, infections, { type: 'external-push', authentication })];
  return [workload(name, { replicas: 0 }), scaledObject(name, { triggers, min: 0 })];
}

async function scale(story: Case, scaler: ScalerProcess, name: string, authentication: string) {
  await story.apply(...scaled(scaler, name, authentication));
  await story.untilReady(name);
}

async function attack(story: Case, scaler: ScalerProcess, name: string, pod: number): Promise<void> {
  await story.alert(scaler, podName(name, pod));
}

/** Whether a new connection is shown this certificate. */
function serves({ grpc }: ScalerProcess, { cert }: Pair): Promise<boolean> {
  const { fingerprint256 } = new X509Certificate(cert);
  const port = Number(grpc.split(':')[1]);
  return new Promise((resolve) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once('secureConnect', () => settle(socket.getPeerCertificate().fingerprint256 === fingerprint256))
      .once('error', () => settle(false));
  });
}

/** One call, shown these. */
async function ask({ grpc }: ScalerProcess, tls: KedaTls): Promise<void> {
  const client = new KedaClient(grpc, tls);
  try {
    await client.getMetricSpec({ namespace: 'shop', name: 'checkout', scalerMetadata: infections });
  } finally {
    client.close();
  }
}

async function isReady(story: Case, name: string, wanted: string): Promise<boolean> {
  const scaledObject = await story.get('ScaledObject', name, 'keda.sh/v1alpha1');
  const conditions: { type: string; status: string }[] = scaledObject?.['status']?.conditions ?? [];
  return conditions.some(({ type, status }) => type === 'Ready' && status === wanted);
}
