import test from 'ava';
import type { RawObject } from '#e2e/control-plane/raw-api.ts';
import { replicasSince } from '#e2e/harness/autoscaler.ts';
import { openExample, readExample } from '#e2e/harness/example.ts';
import { Authority } from '#test/harness/certificates.ts';

/** What cert-manager would make of the example's Certificates is made here; all else is the example's own. */
test('tls: with the certificates that the example asks for KEDA scales over mTLS', async (t) => {
  const authority = new Authority();
  t.teardown(() => authority.close());
  const [server, client] = (await readExample('tls')).filter(
    ({ kind, spec }) => kind === 'Certificate' && spec.isCA !== true,
  );
  const example = await openExample(t, 'tls', { secrets: issued(server, authority) });
  const { story } = example;
  await story.api.apply(
    Object.entries(issued(client, authority)).map(([name, stringData]) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: client?.metadata.namespace },
      stringData,
    })),
  );
  example.load('login', 280);
  await example.apply();
  await story.untilReady('login');
  await story.untilReplicas('login', 3, 180_000);
  t.deepEqual(replicasSince(story, 'login', 0).at(-1), 3);
});

/** The Secret of a Certificate, by its name. */
function issued(
  certificate: RawObject | undefined,
  authority: Authority,
): Record<string, Record<string, string>> {
  const { secretName, commonName, dnsNames } = certificate?.['spec'] ?? {};
  const alternativeNames = dnsNames.map((name: string) => `DNS:${name}`);
  const { cert, key } = authority.issue({ commonName, alternativeNames });
  const data = { 'ca.crt': authority.cert, 'tls.crt': cert, 'tls.key': key };
  return {
    [secretName]: Object.fromEntries(Object.entries(data).map(([name, pem]) => [name, pem.toString()])),
  };
}
