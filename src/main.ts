import { readFileSync } from 'node:fs';
import { Subjects } from '#src/alerts/subjects.ts';
import { systemClock } from '#src/clock.ts';
import { openActs } from '#src/composition/acts.ts';
import { openAttacks } from '#src/composition/attacks.ts';
import { openCluster } from '#src/composition/cluster.ts';
import { openIngest } from '#src/composition/ingest.ts';
import { openSysdig } from '#src/composition/sysdig.ts';
import { warn } from '#src/composition/warnings.ts';
import { ingestAddress } from '#src/configuration/ingest-rules.ts';
import {
  type Configuration,
  ConfigurationError,
  readConfiguration,
} from '#src/configuration/read-configuration.ts';
import { Failure } from '#src/failure.ts';
import { hints } from '#src/hints.ts';
import { parseAddress, reachable } from '#src/listen-address.ts';
import type { Log } from '#src/log.ts';
import { FailureLog } from '#src/operations/failure-log.ts';
import { createLogger } from '#src/operations/logger.ts';
import { createMetrics } from '#src/operations/metrics.ts';
import { OperationsServer } from '#src/operations/operations-server.ts';
import { describeTrigger, triggerReadings } from '#src/operations/status.ts';
import { Answers } from '#src/scaler/answers.ts';
import { ScalerServer } from '#src/scaler/server.ts';
import { parseTrigger, type ScaledObjectRef } from '#src/triggers/parse-trigger.ts';
import { type ScaledObjectId, subject } from '#src/triggers/trigger.ts';
import { WatchedFile } from '#src/watched-file.ts';

const clock = systemClock;
let log: Log = createLogger('info');

process.on('uncaughtException', (error) => refuse([`a defect of the scaler: ${error.stack}`]));
try {
  const configuration = readConfiguration(process.env, (path) => readFileSync(path, 'utf8'));
  log = createLogger(configuration.settings.logLevel);
  await run(configuration);
} catch (thrown) {
  const problems =
    thrown instanceof ConfigurationError ? thrown.problems : Failure.from(thrown).message.split('\n');
  refuse(problems);
}

function refuse(problems: readonly string[]): never {
  for (const problem of problems) log.error({}, problem);
  process.exit(1);
}

async function run(configuration: Configuration): Promise<void> {
  const { settings } = configuration;
  // As process 1 of a container it would not hear what it does not listen to, and be waited for.
  let stop = async (signal: string) => {
    log.info({ signal }, 'stopped before it was ready');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));
  const failures = new FailureLog(log, clock);
  const outcomes = {
    onFailure: (id: ScaledObjectId, metric: string, failure: Failure) =>
      failures.failed(subject(id, metric), failure),
    onSuccess: (id: ScaledObjectId, metric: string) => failures.succeeded(subject(id, metric)),
  };
  const metrics = createMetrics({
    ...triggerReadings(() => answers.statuses(), clock.now),
    journalBacklog: () => road.journal.backlog,
    windows: () => road.windows.size,
    sensors: () => ingest.sensors(),
    cluster: { acts: () => acts.isActing, disarmed: () => acts.disarmed.size },
    now: clock.now,
  });

  warn(configuration, log);
  const inCluster = await openCluster({ settings, observer: metrics.cluster, clock, log });
  const { targets, refusalOf } = inCluster;
  const subjects = new Subjects();
  const road = await openAttacks({
    settings,
    road: inCluster,
    intern: (known) => (known.kind === 'alert' ? subjects.intern(known) : known),
    observers: metrics,
    clock,
    log,
  });
  const sysdig = openSysdig({
    configuration,
    attacks: road.attacks,
    targets,
    refusalOf,
    observer: metrics,
    failures,
    clock,
    log,
  });
  const ingest = openIngest({
    configuration,
    subjects,
    records: road.recorder,
    pods: inCluster.pods,
    ownUser: inCluster.ownUser,
    observer: metrics.ingest,
    clock,
    log,
  });
  const defaults = {
    cluster: settings.clusterName,
    attacksAcrossNamespaces: settings.attacksAcrossNamespaces,
  };
  const parse = (ref: ScaledObjectRef) => parseTrigger(ref, defaults);
  const acts = await openActs({
    settings,
    inCluster,
    road,
    parse,
    observer: metrics.cluster,
    clock,
    log,
  });
  const answers = new Answers({
    parse,
    onTrigger: (trigger, ref) => acts.asked(trigger, ref),
    onUnreadable: (id, failure) => inCluster.warn(id, 'TriggerRefused', failure.message),
    // Asked with every call: only where it makes a difference.
    isCarried: [...configuration.accounts.values()].some((account) => account.namespaces !== undefined)
      ? inCluster.isCarried
      : undefined,
    sources: { sysdig: sysdig.source, falco: road.source },
    clock,
    log,
    outcomes,
    answerTimeoutMs: settings['grpc.answerTimeout'],
  });
  const server = new ScalerServer({
    address: parseAddress(settings['grpc.address']),
    tls: tlsOf(settings),
    answers,
    observer: metrics,
    outcomes,
    clock,
    log,
  });
  const startedAt = clock.now();
  let notReady: string | undefined = 'starting';
  const statusToken = openToken(settings['operations.tokenFile']);
  const operations = new OperationsServer({
    notReadyBecause: () => notReady,
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.render() }),
    statusToken: () => (statusToken?.version ? statusToken.text : undefined),
    rearm: (rule) => acts.rearm(rule),
    status: () => ({
      upSeconds: (clock.now() - startedAt) / 1000,
      openStreams: server.openStreams,
      accounts: sysdig.describe(),
      cluster: { ...inCluster.describe(), acts: acts.isActing, disarmed: Object.fromEntries(acts.disarmed) },
      attacks: road.windows.size,
      journal: { backlog: road.journal.backlog, completeSince: isoOrStart(road.journal.completeSince) },
      sensors: ingest.sensors(),
      triggers: answers.statuses().map((state) => describeTrigger(state, clock.now())),
    }),
  });

  const operationsAt = parseAddress(settings['operations.address']);
  const operationsUrl = reachable(operationsAt, await operations.listen(operationsAt));
  notReady = 'replaying the journal';
  await road.replay(
    (entries) => acts.record(entries),
    (entries) => ingest.learn(entries),
  );
  const ingestAt = parseAddress(ingestAddress(settings, configuration.credentials.size));
  const alerts = reachable(ingestAt, await ingest.listen(ingestAt));
  const grpcAt = parseAddress(settings['grpc.address']);
  const grpc = reachable(grpcAt, await server.listen());
  acts.start();
  notReady = undefined;
  stop = async (signal: string) => {
    notReady = 'draining';
    log.info({ signal }, 'draining');
    await Promise.all([server.drain(), ingest.drain()]);
    await acts.close();
    inCluster.close();
    await road.close();
    await Promise.all([operations.close(), sysdig.close()]);
    log.info({}, 'stopped');
    process.exit(0);
  };
  const addresses = { grpc, ingest: alerts, operations: operationsUrl };
  log.info({ ...addresses, accounts: [...configuration.accounts.keys()] }, 'listening');
  if (process.argv.includes('--hints')) process.stderr.write(hints(addresses));
}

function isoOrStart(time: number): string {
  return time === 0 ? 'the beginning' : new Date(time).toISOString();
}

function tlsOf(settings: Configuration['settings']) {
  const certFile = settings['grpc.tls.certFile'];
  const keyFile = settings['grpc.tls.keyFile'];
  if (certFile === undefined || keyFile === undefined) return undefined;
  const clientCaFile = settings['grpc.tls.clientCaFile'];
  return { certFile, keyFile, clientCaFile, allowedNames: settings['grpc.tls.allowedNames'] };
}

function openToken(path: string | undefined): WatchedFile | undefined {
  if (path === undefined) return undefined;
  return new WatchedFile({
    path,
    holds: 'the bearer token of /status',
    absence: 'unauthenticated',
    clock,
    log,
  });
}
