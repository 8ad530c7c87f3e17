import type { ExecutionContext } from 'ava';
import { Failure } from '#src/failure.ts';
import { Answers, type AnswersOptions } from '#src/scaler/answers.ts';
import type { CallObserver } from '#src/scaler/observer.ts';
import { ScalerServer, type ScalerServerOptions } from '#src/scaler/server.ts';
import type { ParsedTrigger, ScaledObjectRef } from '#src/triggers/parse-trigger.ts';
import type { Trigger } from '#src/triggers/trigger.ts';
import { KedaClient, type KedaTls } from '#test/harness/keda-client.ts';
import { ManualClock } from '#test/harness/manual-clock.ts';
import { noAttackSource } from '#test/harness/no-attacks.ts';
import { silentLog } from '#test/harness/silent-log.ts';
import { SettableSource } from './settable-source.ts';

export const metricName = 'requests';
export const ref: ScaledObjectRef = {
  namespace: 'shop',
  name: 'checkout',
  scalerMetadata: { source: 'sysdig', threshold: '10', query: 'vector(1)' },
};

/** The metadata decides the kind: `refuse` and `unreadable` hold the text of the failure. */
export function parse({ namespace, name, scalerMetadata }: ScaledObjectRef): ParsedTrigger {
  const { refuse, unreadable } = scalerMetadata;
  if (unreadable !== undefined) return { kind: 'unreadable', failure: new Failure('invalid', unreadable) };
  const threshold = Number(scalerMetadata['threshold']);
  if (refuse !== undefined) {
    return { kind: 'refused', spec: { metricName, threshold }, failure: new Failure('invalid', refuse) };
  }
  const trigger: Trigger = {
    source: 'sysdig',
    scaledObject: { namespace, name },
    metricName,
    threshold,
    activationThreshold: 0,
    account: undefined,
    api: 'promql',
    select: { kind: 'query', query: scalerMetadata['query'] ?? '' },
    queryAggregator: undefined,
    maxAgeMs: 120_000,
    metricUnavailableValue: undefined,
    onError: 'error',
    staleMaxAgeMs: 300_000,
    cacheTtlMs: 10_000,
    underAttack: undefined,
  };
  return { kind: 'valid', trigger };
}

export function refWith(scalerMetadata: Record<string, string>): ScaledObjectRef {
  return { ...ref, scalerMetadata: { ...ref.scalerMetadata, ...scalerMetadata } };
}

/** Keeps all that it is told, as `what about whom`. */
export class Heard implements CallObserver {
  readonly calls: string[] = [];
  readonly failures: string[] = [];
  readonly recoveries: string[] = [];
  readonly pushes: string[] = [];
  open = 0;

  called(method: string, code: string): void {
    this.calls.push(`${method} ${code}`);
  }
  opened(): void {
    this.open += 1;
  }
  closed(): void {
    this.open -= 1;
  }
  pushed(method: string): void {
    this.pushes.push(method);
  }
  onFailure(id: { namespace: string; name: string }, metric: string, failure: Failure): void {
    this.failures.push(`${id.namespace}/${id.name} ${metric} ${failure.code}: ${failure.message}`);
  }
  onSuccess(id: { namespace: string; name: string }, metric: string): void {
    this.recoveries.push(`${id.namespace}/${id.name} ${metric}`);
  }
}

export interface Parts {
  readonly clock: ManualClock;
  readonly source: SettableSource;
  readonly heard: Heard;
  readonly answers: Answers;
}

/** Answers over a source and a clock that the test holds. */
export function assemble(options: Partial<AnswersOptions> = {}): Parts {
  const clock = new ManualClock();
  const source = new SettableSource();
  const heard = new Heard();
  const answers = new Answers({
    parse,
    sources: { sysdig: source, falco: noAttackSource },
    clock,
    log: silentLog,
    outcomes: heard,
    ...options,
  });
  return { clock, source, heard, answers };
}

export interface Started extends Parts {
  readonly server: ScalerServer;
  readonly address: string;
  /** A client of its own connection, closed at the end of the test. */
  connect(tls?: KedaTls): KedaClient;
}

/** A real server on a free port, drained at the end of the test. */
export async function startScaler(
  t: ExecutionContext<unknown>,
  options: Partial<ScalerServerOptions> = {},
): Promise<Started> {
  const parts = assemble();
  const server = new ScalerServer({
    address: { host: '127.0.0.1', port: 0 },
    answers: parts.answers,
    observer: parts.heard,
    outcomes: parts.heard,
    clock: parts.clock,
    log: silentLog,
    random: () => 0.5,
    ...options,
  });
  const address = `127.0.0.1:${await server.listen()}`;
  const clients: KedaClient[] = [];
  t.teardown(async () => {
    for (const client of clients) client.close();
    await server.drain();
  });
  const connect = (tls?: KedaTls) => {
    const client = new KedaClient(address, tls);
    clients.push(client);
    return client;
  };
  return { ...parts, server, address, connect };
}
