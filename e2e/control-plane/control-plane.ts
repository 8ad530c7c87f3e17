import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CoreV1Api, CustomObjectsApi, type KubeConfig } from '@kubernetes/client-node';
import { type Credentials, makeCredentials } from '#e2e/control-plane/credentials.ts';
import { type Attempt, answers, type Run, start } from '#e2e/control-plane/programs.ts';
import { RawApi } from '#e2e/control-plane/raw-api.ts';
import { writeStages } from '#e2e/control-plane/stages.ts';
import { systemClock } from '#src/clock.ts';
import { connect } from '#src/cluster/connection.ts';
import { freePort, type GuardedProgram } from '#test/harness/guarded-program.ts';

/** What a case needs to know of it; travels as JSON. */
export interface ControlPlane {
  readonly server: string;
  readonly ca: string;
  /** Files. */
  readonly kubeconfig: string;
  readonly logs: string;
  /** The operator's metrics. */
  readonly kedaMetrics: string;
}

export interface RunningControlPlane extends ControlPlane {
  /** Last first. */
  stop(): Promise<void>;
}

const mostAttempts = 3;

/** A fresh Kubernetes with KEDA, on free ports. Rejects with the words of the program that failed; then nothing is left. */
export async function startControlPlane(run: Run): Promise<RunningControlPlane> {
  for (let attempt = 1; ; attempt++) {
    const folder = join(run.folder, `attempt-${attempt}`);
    const logs = join(folder, 'logs');
    mkdirSync(logs, { recursive: true });
    const started: GuardedProgram[] = [];
    const stop = async () => {
      for (const program of started.reverse()) await program.stop();
    };
    try {
      return { ...(await bringUp({ ...run, folder, logs, started })), stop };
    } catch (error) {
      await stop();
      // A port that was free may be taken a moment later.
      if (attempt === mostAttempts || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function bringUp(run: Attempt): Promise<ControlPlane> {
  const ports = await freePorts(10);
  const [etcd = 0, etcdPeer = 0, api = 0] = ports;
  const server = `https://127.0.0.1:${api}`;
  const credentials = makeCredentials(run.folder, server);
  const { kubeconfig, ca } = credentials;
  const config = connect({ kind: 'file', path: kubeconfig }, { clock: systemClock, onRequest() {} });
  await startEtcd(run, etcd, etcdPeer);
  await startApiServer(run, credentials, { config, etcd, api });
  await startControllers(run, credentials, ports.slice(3, 5));
  const addresses = ports.slice(5);
  await prepare(run, config, addresses[3] ?? 0);
  await startKeda(run, credentials, config, addresses);
  return { server, ca, kubeconfig, logs: run.logs, kedaMetrics: `http://127.0.0.1:${addresses[0]}/metrics` };
}

function startEtcd(run: Attempt, port: number, peerPort: number): Promise<void> {
  const client = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  return start(run, {
    name: 'etcd',
    options: [
      `--data-dir=${join(run.folder, 'etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--unsafe-no-fsync',
    ],
    serves: () => answers(`${client}/health`),
  });
}

function startApiServer(
  run: Attempt,
  { ca, server, frontProxy, serviceAccounts }: Credentials,
  { config, etcd, api }: { config: KubeConfig; etcd: number; api: number },
): Promise<void> {
  return start(run, {
    name: 'kube-apiserver',
    options: [
      `--etcd-servers=http://127.0.0.1:${etcd}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${api}`,
      `--tls-cert-file=${server.cert}`,
      `--tls-private-key-file=${server.key}`,
      `--client-ca-file=${ca}`,
      `--service-account-key-file=${serviceAccounts.cert}`,
      `--service-account-signing-key-file=${serviceAccounts.key}`,
      '--service-account-issuer=https://e2e',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--authorization-mode=RBAC',
      `--requestheader-client-ca-file=${ca}`,
      '--requestheader-allowed-names=front-proxy',
      '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      '--requestheader-group-headers=X-Remote-Group',
      '--requestheader-username-headers=X-Remote-User',
      `--proxy-client-cert-file=${frontProxy.cert}`,
      `--proxy-client-key-file=${frontProxy.key}`,
      '--endpoint-reconciler-type=none',
    ],
    serves: async () => {
      await config.makeApiClient(CoreV1Api).readNamespace({ name: 'default' });
      return true;
    },
  });
}

async function startControllers(
  run: Attempt,
  { ca, kubeconfig, serviceAccounts }: Credentials,
  [manager = 0, scheduler = 0]: readonly number[],
): Promise<void> {
  const shared = [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--cert-dir=${join(run.folder, 'controllers')}`,
  ];
  await Promise.all([
    start(run, {
      name: 'kube-controller-manager',
      options: [
        ...shared,
        `--secure-port=${manager}`,
        `--service-account-private-key-file=${serviceAccounts.key}`,
        `--root-ca-file=${ca}`,
        '--use-service-account-credentials=true',
      ],
      serves: async () => true,
    }),
    start(run, {
      name: 'kube-scheduler',
      options: [...shared, `--secure-port=${scheduler}`],
      serves: async () => true,
    }),
    start(run, {
      name: 'kwok',
      options: [
        `--kubeconfig=${kubeconfig}`,
        '--manage-all-nodes=true',
        `--config=${writeStages(run.programs, run.folder)}`,
        '--server-address=127.0.0.1:0',
      ],
      serves: async () => true,
    }),
  ]);
}

/** Two nodes that never fill up, KEDA's kinds, and the scaler's own rights. */
async function prepare({ programs }: Run, config: KubeConfig, adapterPort: number): Promise<void> {
  const resources = { cpu: '10k', memory: '100Ti', pods: '100k' };
  const node = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, annotations: { 'kwok.x-k8s.io/node': 'fake' } },
    status: { capacity: resources, allocatable: resources },
  });
  const core = config.makeApiClient(CoreV1Api);
  // A new node may bring its status along, as kubelets do; kwok keeps these capacities.
  for (const name of ['node-a', 'node-b']) await core.createNode({ body: node(name) });
  const crds = join(programs, 'crds');
  const api = new RawApi(config);
  for (const file of readdirSync(crds)) await api.apply(readFileSync(join(crds, file), 'utf8'));
  // An operator that starts before they are served looks again only after 10 s.
  for (const kind of ['ScaledObject', 'ScaledJob', 'TriggerAuthentication', 'ClusterTriggerAuthentication']) {
    while (!(await api.serves('keda.sh/v1alpha1', kind))) await pause(20);
  }
  await api.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'keda' } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'keda-metrics-apiserver', namespace: 'keda' },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.external.metrics.k8s.io' },
      spec: {
        group: 'external.metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: 'keda-metrics-apiserver', namespace: 'keda', port: adapterPort },
      },
    },
  ]);
}

async function startKeda(
  run: Attempt,
  { kubeconfig, keda }: Credentials,
  config: KubeConfig,
  [metrics = 0, health = 0, grpc = 0, adapter = 0, adapterMetrics = 0]: readonly number[],
): Promise<void> {
  const environment = {
    WATCH_NAMESPACE: '',
    KEDA_CLUSTER_OBJECT_NAMESPACE: 'keda',
    POD_NAMESPACE: 'keda',
    KUBECONFIG: kubeconfig,
  };
  const operator = start(run, {
    name: 'keda-operator',
    environment,
    options: [
      `--kubeconfig=${kubeconfig}`,
      `--cert-dir=${keda}`,
      `--metrics-bind-address=127.0.0.1:${metrics}`,
      `--health-probe-bind-address=127.0.0.1:${health}`,
      `--metrics-service-bind-address=127.0.0.1:${grpc}`,
      '--enable-high-cardinality-metrics-labels',
      ...(run.operatorOptions ?? []),
    ],
    serves: () => answers(`http://127.0.0.1:${health}/readyz`),
  });
  const served = start(run, {
    name: 'keda-adapter',
    environment,
    options: [
      `--kubeconfig=${kubeconfig}`,
      `--lister-kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      `--cert-dir=${keda}`,
      `--metrics-service-address=localhost:${grpc}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${adapter}`,
      `--port=${adapterMetrics}`,
    ],
    serves: async () => {
      // Through the API server, as the HPA asks.
      const { resources } = await config
        .makeApiClient(CustomObjectsApi)
        .getAPIResources({ group: 'external.metrics.k8s.io', version: 'v1beta1' });
      return Array.isArray(resources);
    },
  });
  await Promise.all([operator, served]);
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}
