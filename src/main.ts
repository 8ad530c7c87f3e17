import { readFileSync } from 'node:fs';
import { systemClock } from '#src/clock.ts';
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
import { describeTrigger, readingsOf } from '#src/operations/status.ts';
import { Answers } from '#src/scaler/answers.ts';
import { ScalerServer } from '#src/scaler/server.ts';
import { Accounts } from '#src/sources/sysdig/accounts.ts';
import { Broker } from '#src/sources/sysdig/broker/broker.ts';
import { SysdigClient } from '#src/sources/sysdig/client.ts';
import { HttpPool } from '#src/sources/sysdig/http-pool.ts';
import { closeAccount, openAccounts } from '#src/sources/sysdig/open-accounts.ts';
import { SysdigSource } from '#src/sources/sysdig/sysdig-source.ts';
import { parseTrigger } from '#src/triggers/parse-trigger.ts';
import type { ScaledObjectId } from '#src/triggers/trigger.ts';
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

async function run({ settings, accounts: accountSettings }: Configuration): Promise<void> {
  const failures = new FailureLog(log, clock);
  const outcomes = {
    onFailure: (id: ScaledObjectId, metric: string, failure: Failure) =>
      failures.failed(subject(id, metric), failure),
    onSuccess: (id: ScaledObjectId, metric: string) => failures.succeeded(subject(id, metric)),
  };
  const metrics = createMetrics(readingsOf(() => answers.statuses(), clock.now));

  const pool = new HttpPool({ timeoutMs: settings.upstreamTimeout, environment: process.env });
  const accounts = openAccounts(accountSettings, { pool, clock, log });
  const client = new SysdigClient({
    pool,
    clock,
    observer: {
      request: metrics.request,
      rateLimit(account, perMinute) {
        metrics.rateLimit(account, perMinute);
        broker.learnRateLimit(account, perMinute);
      },
    },
  });
  const broker = new Broker({
    upstream: client,
    clock,
    observer: metrics,
    upstreamTimeoutMs: settings.upstreamTimeout,
  });
  const sysdig = new SysdigSource({
    accounts: new Accounts(accounts, settings.clusterName),
    questions: broker,
    clock,
    patienceMs: settings['grpc.answerTimeout'] / 2,
    listener: {
      bridged: ({ scaledObject, metricName }, failure) =>
        failures.failed(
          `${subject(scaledObject, metricName)} (last value)`,
          failure,
          'answers its last value',
        ),
      measured: ({ scaledObject, metricName }) =>
        failures.succeeded(`${subject(scaledObject, metricName)} (last value)`),
    },
  });
  const answers = new Answers({
    parse: (ref) => parseTrigger(ref, { cluster: settings.clusterName }),
    sources: { sysdig },
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
    status: () => ({
      upSeconds: (clock.now() - startedAt) / 1000,
      openStreams: server.openStreams,
      accounts: [...accounts.values()].map(({ name, baseUrl, namespaces, queries }) => ({
        name,
        baseUrl,
        namespaces,
        queries,
      })),
      triggers: answers.statuses().map((state) => describeTrigger(state, clock.now())),
    }),
  });

  warnOfUnbuilt();
  warnOfOpenDoors(settings, accountSettings.size);
  const grpcAt = parseAddress(settings['grpc.address']);
  const operationsAt = parseAddress(settings['operations.address']);
  const grpc = reachable(grpcAt, await server.listen());
  const operationsUrl = reachable(operationsAt, await operations.listen(operationsAt));
  notReady = undefined;
  log.info({ grpc, operations: operationsUrl, accounts: [...accounts.keys()] }, 'listening');
  if (process.argv.includes('--hints')) process.stderr.write(hints({ grpc, operations: operationsUrl }));

  const stop = async (signal: string) => {
    notReady = 'draining';
    log.info({ signal }, 'draining');
    await server.drain();
    broker.close();
    for (const account of accounts.values()) closeAccount(account);
    await Promise.all([operations.close(), client.close()]);
    log.info({}, 'stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));
}

function subject({ namespace, name }: ScaledObjectId, metricName: string): string {
  return `${namespace}/${name} ${metricName}`.trim();
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

/** Settings that belong to parts which this version does not have: nobody shall think that they work. */
function warnOfUnbuilt(): void {
  for (const name of Object.keys(process.env)) {
    if (/^(?:JOURNAL|SURGE|REAPER|INGEST_[A-Z_]+)$/.test(name)) {
      log.warn({ setting: name }, 'has no effect: attacks, surge and reaper are not part of this version');
    }
  }
}

function warnOfOpenDoors(settings: Configuration['settings'], accounts: number): void {
  if (accounts === 0) {
    log.warn(
      {},
      'no Sysdig account is configured: triggers of source sysdig get no value; set SYSDIG_REGION or SYSDIG_URL, and SYSDIG_TOKEN_FILE',
    );
    return;
  }
  const { host } = parseAddress(settings['grpc.address']);
  const isLoopback = host === 'localhost' || host === '::1' || host.startsWith('127.');
  if (!isLoopback && settings['grpc.tls.clientCaFile'] === undefined) {
    log.warn(
      { address: settings['grpc.address'] },
      'whoever reaches the gRPC port can read what the Sysdig token can: limit it by a NetworkPolicy, or set grpc.tls.clientCaFile',
    );
  }
}
