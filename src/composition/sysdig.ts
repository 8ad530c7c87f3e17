import type { Clock } from '#src/clock.ts';
import type { Targets } from '#src/cluster/targets.ts';
import type { Configuration } from '#src/configuration/read-configuration.ts';
import type { Log } from '#src/log.ts';
import type { FailureLog } from '#src/operations/failure-log.ts';
import type { Attacks } from '#src/sources/attacks.ts';
import { Accounts } from '#src/sources/sysdig/accounts.ts';
import { Broker } from '#src/sources/sysdig/broker/broker.ts';
import { SysdigClient } from '#src/sources/sysdig/client.ts';
import { HttpPool } from '#src/sources/sysdig/http-pool.ts';
import { closeAccount, openAccounts } from '#src/sources/sysdig/open-accounts.ts';
import { SysdigSource } from '#src/sources/sysdig/sysdig-source.ts';
import type { SysdigObserver } from '#src/sources/sysdig/upstream.ts';
import { type ScaledObjectId, type SysdigTrigger, subject } from '#src/triggers/trigger.ts';

export interface SysdigParts {
  readonly configuration: Configuration;
  readonly attacks: Attacks;
  readonly targets: Targets;
  readonly refusalOf: (trigger: SysdigTrigger) => string | undefined;
  readonly observer: SysdigObserver;
  readonly failures: FailureLog;
  readonly clock: Clock;
  readonly log: Log;
}

/** Everything between a trigger of source sysdig and Sysdig. */
export interface SysdigRoad {
  readonly source: SysdigSource;
  /** For people: the accounts without their secrets. */
  describe(): object[];
  close(): Promise<void>;
}

export function openSysdig({
  configuration,
  attacks,
  targets,
  refusalOf,
  observer,
  failures,
  clock,
  log,
}: SysdigParts): SysdigRoad {
  const { settings } = configuration;
  const pool = new HttpPool({ timeoutMs: settings.upstreamTimeout, environment: process.env });
  const accounts = openAccounts(configuration.accounts, { pool, clock, log });
  const client = new SysdigClient({
    pool,
    clock,
    observer: {
      request: observer.request,
      rateLimit(account, perMinute) {
        observer.rateLimit(account, perMinute);
        broker.learnRateLimit(account, perMinute);
      },
    },
  });
  const broker = new Broker({
    upstream: client,
    clock,
    observer,
    upstreamTimeoutMs: settings.upstreamTimeout,
  });
  const lastValueOf = ({ scaledObject, metricName }: { scaledObject: ScaledObjectId; metricName: string }) =>
    `${subject(scaledObject, metricName)} (last value)`;
  const source = new SysdigSource({
    accounts: new Accounts(accounts, settings.clusterName),
    attacks,
    targets,
    refusalOf,
    questions: broker,
    clock,
    patienceMs: settings['grpc.answerTimeout'] / 2,
    listener: {
      bridged: (trigger, failure) => failures.failed(lastValueOf(trigger), failure, 'answers its last value'),
      measured: (trigger) => failures.succeeded(lastValueOf(trigger)),
    },
  });
  return {
    source,
    describe: () =>
      [...accounts.values()].map(({ name, baseUrl, namespaces, queries }) => ({
        name,
        baseUrl,
        namespaces,
        queries,
      })),
    async close() {
      broker.close();
      for (const account of accounts.values()) closeAccount(account);
      await client.close();
    },
  };
}
