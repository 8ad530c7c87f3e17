import { z } from 'zod';
import { senders } from '#src/alerts/alert.ts';
import { choice, duration, flag, list, number, pattern, read, show } from '#src/fields/field.ts';

const address = read('an address such as 0.0.0.0:6000 or [::]:6000', (text) => {
  const [, port] = /^(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text) ?? [];
  return port !== undefined && Number(port) <= 65_535 ? text : undefined;
});
const file = pattern('the path of a file', /^[^\0]+$/);
// What stands before an @ or behind a ? may be a secret, and is not shown.
const url = read(
  'an http or https URL',
  (text) => (/^https?:\/\/[^\s]+$/.test(text) ? text : undefined),
  (text = '') => show(text.replace(/^.*@/s, '…@').replace(/[?#].*$/s, '')),
);

const journal = read(
  'memory: or sqlite:PATH',
  (text) => (/^(?:memory:|sqlite:[^\0]+)$/.test(text) ? text : undefined),
  // An address of another kind may hold a password.
  (text = '') => show(text.replace(/:.*$/s, ':…')),
);
const senderList = read(`names out of ${senders.join(', ')}, divided by commas`, (text) => {
  const named = text.split(',').map((item) => senders.find((sender) => sender === item.trim()));
  return named.every((sender) => sender !== undefined) ? named : undefined;
});

/** The settings of one credential of the ingest: `ingest.*` for the unnamed one, `ingest.credentials.NAME.*` for others. */
export const credentialSettings = z.object({
  tokenFile: file.optional().describe('A file with the token that senders show; watched and reloaded.'),
  clientNames: list('names, divided by commas')
    .optional()
    .describe(
      'With `ingest.tls.clientCaFile`: the client certificates (SAN or CN) that count as this credential.',
    ),
  namespaces: list('namespaces, divided by commas')
    .optional()
    .describe('The namespaces that it may raise alerts about. Default: all.'),
  senders: senderList
    .optional()
    .describe(
      `The paths that it opens, out of ${senders.map((one) => `\`${one}\``).join(', ')}. Default: all.`,
    ),
});

/** The settings of one Sysdig account: `sysdig.*` for the unnamed one, `accounts.NAME.*` for the others. */
export const accountSettings = z.object({
  region: pattern('a region such as us1, eu1 or ibm:eu-de', /^[a-z0-9:-]+$/)
    .optional()
    .describe('The region of the account. Either this or `url`.'),
  url: url.optional().describe('The address of Sysdig, without `/api` or `/prometheus`.'),
  tokenFile: file.optional().describe('A file with the Monitor API token; watched and reloaded.'),
  ibmApiKeyFile: file
    .optional()
    .describe('IBM Cloud: a file with the API key that IAM exchanges for tokens. Instead of `tokenFile`.'),
  ibmInstanceId: pattern('the GUID of the instance', /^[\x21-\x7e]+$/)
    .optional()
    .describe('IBM Cloud: the GUID of the Monitoring instance.'),
  ibmTeamId: pattern('the id of a team', /^[\x21-\x7e]+$/)
    .optional()
    .describe('IBM Cloud: the Sysdig team to act as.'),
  iamUrl: url.prefault('https://iam.cloud.ibm.com').describe('IBM Cloud: where tokens are issued.'),
  allowHttp: flag().prefault('false').describe('Allows a plain `http://` address that is not loopback.'),
  caFile: file
    .optional()
    .describe(
      "A file with the certificates (PEM) that Sysdig's is checked against, instead of the system's.",
    ),
  proxy: url.optional().describe('The HTTP proxy to Sysdig. Default: `HTTPS_PROXY` and `NO_PROXY`.'),
  namespaces: list('namespaces, divided by commas')
    .optional()
    .describe(
      'The namespaces that may use the account. Default: all for the unnamed account, none for others.',
    ),
  queries: choice(['any', 'own'])
    .prefault('any')
    .describe("`own`: only `metricName`, of the ScaledObject's own namespace and cluster."),
  concurrency: number({ min: 1, max: 200, whole: true })
    .prefault('8')
    .describe('Requests to Sysdig at once.'),
  requestsPerMinute: number({ min: 1, max: 100_000, whole: true })
    .optional()
    .describe('The budget of requests. Default: 80% of what Sysdig says it allows.'),
});

/** Every other setting, by its path in the file; its environment variable is derived from that. */
export const settings = z.object({
  'grpc.address': address.prefault('0.0.0.0:6000').describe('Where KEDA finds the scaler.'),
  'grpc.answerTimeout': duration({ min: '100ms', max: '50s' })
    .prefault('2s')
    .describe('Every call is answered within it, whatever Sysdig does.'),
  'grpc.tls.certFile': file
    .optional()
    .describe('The certificate (PEM); watched and reloaded. With `grpc.tls.keyFile` it switches TLS on.'),
  'grpc.tls.keyFile': file.optional().describe('Its private key (PEM).'),
  'grpc.tls.clientCaFile': file
    .optional()
    .describe('The CA that client certificates are checked against; it makes them required (mTLS).'),
  'grpc.tls.allowedNames': list('names, divided by commas')
    .optional()
    .describe('The client names (SAN or CN) that may call. Default: every one that the CA signed.'),
  'ingest.address': address
    .optional()
    .describe(
      'Where alerts are received. Default: 127.0.0.1:6001, and 0.0.0.0:6001 as soon as a credential is set.',
    ),
  'ingest.allowAnonymous': flag()
    .prefault('false')
    .describe('Opens an address that others reach without any credential.'),
  'ingest.tls.certFile': file
    .optional()
    .describe(
      'The certificate (PEM) of the ingest; watched and reloaded. With `ingest.tls.keyFile` it switches TLS on.',
    ),
  'ingest.tls.keyFile': file.optional().describe('Its private key (PEM).'),
  'ingest.tls.clientCaFile': file
    .optional()
    .describe('The CA that client certificates of senders are checked against; see `clientNames`.'),
  sensorMaxSilence: duration({ min: '1m', max: '30d' })
    .optional()
    .describe('A sender that has been silent for longer is shown as silent in metrics and status.'),
  journal: journal
    .prefault('sqlite:data/journal.db')
    .describe(
      'Where alerts are remembered: `sqlite:PATH`, or `memory:` for trials, which forgets with every restart.',
    ),
  journalRetention: duration({ min: '24h', max: '7d' })
    .prefault('24h')
    .describe('How long alerts are remembered; windows are at most 24h long.'),
  journalMaxSize: number({ min: 1_000_000, max: 1e12, whole: true })
    .prefault('1000000000')
    .describe(
      'How large the journal may grow, bytes. Above it the oldest alerts are made coarser, then forgotten.',
    ),
  attacksAcrossNamespaces: list('namespaces, divided by commas')
    .optional()
    .describe('The namespaces whose triggers may name workloads of other namespaces.'),
  'operations.address': address
    .prefault('0.0.0.0:6002')
    .describe('Where `/healthz`, `/readyz`, `/metrics` and `/status` are served.'),
  'operations.tokenFile': file
    .optional()
    .describe('A file with the bearer token that opens `/status` from elsewhere than loopback.'),
  upstreamTimeout: duration({ min: '1s', max: '2m' })
    .prefault('30s')
    .describe('How long one request to Sysdig may take.'),
  clusterName: pattern("the cluster's name in Sysdig", /^[^\p{Cc}]{1,253}$/u)
    .optional()
    .describe('The default of `cluster` in triggers.'),
  logLevel: choice(['debug', 'info', 'warn', 'error']).prefault('info').describe('What is logged.'),
});

export type AccountSettings = z.output<typeof accountSettings>;
export type CredentialSettings = z.output<typeof credentialSettings>;
export type Settings = z.output<typeof settings>;

/** `grpc.tls.certFile` is `GRPC_TLS_CERT_FILE`. */
export function environmentName(path: string): string {
  return path
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase();
}
