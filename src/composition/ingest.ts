import type { Subjects } from '#src/alerts/subjects.ts';
import type { Clock } from '#src/clock.ts';
import type { Configuration } from '#src/configuration/read-configuration.ts';
import type { CredentialSettings, Settings } from '#src/configuration/settings.ts';
import { Attribution, type FindsPods } from '#src/ingest/attribution.ts';
import { type Credential, Credentials } from '#src/ingest/credentials.ts';
import { IngestServer } from '#src/ingest/ingest-server.ts';
import { Intake } from '#src/ingest/intake.ts';
import type { IngestObserver } from '#src/ingest/observer.ts';
import type { Records } from '#src/ingest/records.ts';
import { Repeats } from '#src/ingest/repeats.ts';
import { Sensors } from '#src/ingest/sensors.ts';
import type { Entry } from '#src/journal/entry.ts';
import type { ListenAddress } from '#src/listen-address.ts';
import type { Log } from '#src/log.ts';
import type { SensorReading } from '#src/operations/ingest-metrics.ts';
import { WatchedFile } from '#src/watched-file.ts';

export interface IngestParts {
  readonly configuration: Configuration;
  readonly subjects: Subjects;
  readonly records: Records;
  /** Undefined without a cluster. */
  readonly pods: FindsPods | undefined;
  /** Who we are to the API server. */
  readonly ownUser: string | undefined;
  readonly observer: IngestObserver;
  readonly clock: Clock;
  readonly log: Log;
}

/** Everything between a sender's request and the journal. */
export interface IngestRoad {
  listen(address: ListenAddress): Promise<number>;
  /** Takes from the journal what has been counted before. */
  learn(entries: readonly Entry[]): void;
  sensors(): SensorReading[];
  drain(): Promise<void>;
}

export function openIngest({
  configuration,
  subjects,
  records,
  pods,
  ownUser,
  observer,
  clock,
  log,
}: IngestParts): IngestRoad {
  const { settings, credentials } = configuration;
  const startedAt = clock.now();
  const sensors = new Sensors({ startedAt, maxSilenceMs: settings.sensorMaxSilence });
  const repeats = new Repeats();
  const tokens: WatchedFile[] = [];
  const opened = [...credentials].map(([name, one]) => openCredential(name, one, { clock, log, tokens }));
  // From the start: a sender that never says a word is silent too.
  for (const { name, senders } of opened) for (const sender of senders ?? []) sensors.of(sender, name);
  const server = new IngestServer({
    credentials: new Credentials(opened),
    sensors,
    intake: new Intake({
      records: pods === undefined ? records : new Attribution({ pods, records, subjects, clock }),
      subjects,
      repeats,
      observer,
      clock,
      retentionMs: settings.journalRetention,
      clusterName: settings.clusterName,
      ownUser,
    }),
    observer,
    clock,
    log,
    tls: tlsOf(settings),
  });
  return {
    listen: (address) => server.listen(address),
    learn: (entries) => repeats.learn(entries),
    sensors() {
      const now = clock.now();
      return sensors.list(now).map(({ sender, credential, heardAt, silent }) => ({
        sender,
        credential,
        silentSeconds: Math.max(0, now - (heardAt ?? startedAt)) / 1000,
        isSilent: silent,
      }));
    },
    async drain() {
      await server.drain();
      for (const token of tokens) token.close();
    },
  };
}

function openCredential(
  name: string,
  { tokenFile, clientNames, namespaces, senders }: CredentialSettings,
  { clock, log, tokens }: { clock: Clock; log: Log; tokens: WatchedFile[] },
): Credential {
  const holds = `the token of the ingest's credential ${name}`;
  const file =
    tokenFile === undefined
      ? undefined
      : new WatchedFile({ path: tokenFile, holds, absence: 'unauthenticated', clock, log });
  if (file !== undefined) tokens.push(file);
  return { name, token: () => (file?.version ? file.text : undefined), clientNames, namespaces, senders };
}

function tlsOf(settings: Settings) {
  const certFile = settings['ingest.tls.certFile'];
  const keyFile = settings['ingest.tls.keyFile'];
  if (certFile === undefined || keyFile === undefined) return undefined;
  return { certFile, keyFile, clientCaFile: settings['ingest.tls.clientCaFile'] };
}
