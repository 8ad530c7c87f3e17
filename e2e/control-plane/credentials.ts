import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Authority, type Pair } from '#test/harness/certificates.ts';

export interface Credentials {
  /** Paths of files. */
  readonly ca: string;
  readonly server: PairFiles;
  readonly frontProxy: PairFiles;
  readonly serviceAccounts: PairFiles;
  /** With full rights. */
  readonly kubeconfig: string;
  /** `ca.crt`, `tls.crt` and `tls.key` for KEDA's operator and adapter, who check each other. */
  readonly keda: string;
}

interface PairFiles {
  readonly cert: string;
  readonly key: string;
}

/** Everything that a control plane needs to be believed, in files. */
export function makeCredentials(folder: string, apiServer: string): Credentials {
  const authority = new Authority('end-to-end');
  try {
    const write = (name: string, data: string | Buffer) => {
      const path = join(folder, name);
      writeFileSync(path, data);
      return path;
    };
    const files = (name: string, { cert, key }: Pair): PairFiles => ({
      cert: write(`${name}.crt`, cert),
      key: write(`${name}.key`, key),
    });
    const ca = write('ca.crt', authority.cert);
    const admin = authority.issue({ commonName: 'admin/O=system:masters' });
    const keda = join(folder, 'keda');
    mkdirSync(keda);
    const forKeda = authority.issue({ commonName: 'localhost', alternativeNames: ['DNS:localhost'] });
    write('keda/ca.crt', authority.cert);
    files('keda/tls', forKeda);
    return {
      ca,
      server: files('server', authority.server()),
      frontProxy: files('front-proxy', authority.issue({ commonName: 'front-proxy' })),
      serviceAccounts: files('service-accounts', authority.issue({ commonName: 'service-accounts' })),
      kubeconfig: write(
        'admin.kubeconfig',
        kubeconfig({
          server: apiServer,
          ca: authority.cert,
          namespace: 'default',
          user: {
            'client-certificate-data': admin.cert.toString('base64'),
            'client-key-data': admin.key.toString('base64'),
          },
        }),
      ),
      keda,
    };
  } finally {
    authority.close();
  }
}

export interface KubeconfigParts {
  readonly server: string;
  readonly ca: Buffer;
  readonly namespace: string;
  readonly user: Readonly<Record<string, string>>;
}

export function kubeconfig({ server, ca, namespace, user }: KubeconfigParts): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'e2e', cluster: { server, 'certificate-authority-data': ca.toString('base64') } }],
    users: [{ name: 'user', user }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'user', namespace } }],
    'current-context': 'e2e',
  });
}
