import { z } from 'zod';
import { senders } from '#src/alerts/alert.ts';
import { type Priority, parsePriority, priorities } from '#src/alerts/priority.ts';
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

const priority = () => read<Priority>(priorities.join(', '), parsePriority);

const journal = read(
  'memory: or sqlite:PATH',
  (text) => (/^(?:memory:|sqlite:[^\0]+)$/.test(text) ? text : undefined),
  // An address of another kind may hold a password.
  (text = '') => show(text.replace(/:.*$/s, ':…')),
);
const choiceList = <const T extends string>(choices: readonly T[]) =>
  read(`names out of ${choices.join(', ')}, divided by commas`, (text) => {
    const named = text.split(',').map((item) => choices.find((choice) => choice === item.trim()));
    return named.every((one) => one !== undefined) ? named : undefined;
  });
const senderList = choiceList(senders);

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
  watchNamespaces: list('namespaces, divided by commas')
    .optional()
    .describe(
      'With a cluster: the namespaces that the scaler looks at, and acts in. Default: all. ScaledObjects of others get no value for triggers that name no workload.',
    ),
  'surge.mode': choice(['off', 'on'])
    .prefault('off')
    .describe(
      'Whether triggers with `surge: "true"` may set replicas at once. Needs a cluster, `clusterName` and a journal that lasts.',
    ),
  'surge.maxReplicas': number({ min: 1, max: 100_000, whole: true })
    .prefault('1000')
    .describe('The most replicas that a surge ever sets.'),
  'reaper.mode': choice(['off', 'dry-run', 'on'])
    .prefault('off')
    .describe(
      'Whether infected pods are evicted: `dry-run` decides, writes down and does nothing. Needs a cluster, `clusterName` and `reaper.rules`; `on` also a journal that lasts.',
    ),
  'reaper.rules': list('names of rules, divided by commas')
    .optional()
    .describe(
      'The rules whose alerts may take a pod away, with `*`, `?` and a leading `!`: `Drop and execute new binary in container`.',
    ),
  'reaper.minimumPriority': priority()
    .prefault('Critical')
    .describe('Alerts below it never take a pod away.'),
  'reaper.sources': choiceList(['falco', 'fluentbit', 'sysdig'])
    .prefault('falco,sysdig')
    .describe('The senders that the reaper hears; Alertmanager is never one of them.'),
  'reaper.requireNodeMatch': flag()
    .prefault('true')
    .describe('A syscall alert that names its host counts only if the pod runs on that node.'),
  'reaper.namespaces': list('namespaces, divided by commas')
    .optional()
    .describe(
      'The namespaces in which pods may be taken away. Default: all but those of `reaper.neverNamespaces`.',
    ),
  'reaper.neverNamespaces': list('namespaces, divided by commas')
    .prefault('kube-system,kube-public,kube-node-lease,keda,falco')
    .describe("Those in which they never may; the scaler's own is always one of them."),
  'reaper.minAvailable': read('a number of pods or a percentage such as 50%', (text) =>
    /^\d{1,6}%?$/.test(text) && !(text.endsWith('%') && Number(text.slice(0, -1)) > 100) ? text : undefined,
  )
    .prefault('50%')
    .describe(
      'The floor: what stays available of a workload, as a number or as a percentage, rounded up, of the replicas that it had when the attack began.',
    ),
  'reaper.maxAlertAge': duration({ min: '5s', max: '10m' })
    .prefault('60s')
    .describe('Alerts whose event is older take no pod away, and cause no surge.'),
  'reaper.period': duration({ min: '1m', max: '1h' })
    .prefault('5m')
    .describe('The time in which the next two count.'),
  'reaper.maxPerWorkload': number({ min: 1, max: 1_000, whole: true })
    .prefault('3')
    .describe('The most pods of one workload that are taken away in that time.'),
  'reaper.maxPerCluster': number({ min: 1, max: 10_000, whole: true })
    .prefault('10')
    .describe('The most of all.'),
  'reaper.gracePeriod': duration({ min: '0s', max: '1h' })
    .optional()
    .describe(
      "How long an evicted pod may take to end: short, to stop an attacker; long, to let evidence be collected. Default: the pod's own.",
    ),
  'reaper.rearmAfter': duration({ min: '1m', max: '7d' })
    .optional()
    .describe(
      'When a rule that was disarmed, because it struck too many, counts again. Default: when somebody says so (`POST /rearm`).',
    ),
  'quarantine.mode': choice(['off', 'on'])
    .prefault('off')
    .describe(
      'Whether pods of a ReplicaSet are taken out of service and kept for forensics, instead of evicted. Needs the permission to patch pods.',
    ),
  'quarantine.maxPerWorkload': number({ min: 1, max: 100, whole: true })
    .prefault('3')
    .describe('How many of one workload are kept; those above it are evicted.'),
  'quarantine.ttl': duration({ min: '1m', max: '7d' }).prefault('1h').describe('How long one is kept.'),
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
    .describe(
      'What this cluster is called in Sysdig and in alerts: the default of `cluster` in triggers; alerts that name another do not count.',
    ),
  logLevel: choice(['debug', 'info', 'warn', 'error']).prefault('info').describe('What is logged.'),
});

export type AccountSettings = z.output<typeof accountSettings>;
export type CredentialSettings = z.output<typeof credentialSettings>;
export type Settings = z.output<typeof settings>;

/** `grpc.tls.certFile` is `GRPC_TLS_CERT_FILE`; what a feature's `mode` is, is what it itself is: `REAPER`. */
export function environmentName(path: string): string {
  return path
    .replace(/\.mode$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase();
}
