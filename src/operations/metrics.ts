import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { IngestObserver } from '#src/ingest/observer.ts';
import type { JournalObserver } from '#src/journal/journal.ts';
import { attackMetrics, type WindowsSize } from '#src/operations/attack-metrics.ts';
import {
  type ClusterObserver,
  type ClusterReadings,
  clusterMetrics,
} from '#src/operations/cluster-metrics.ts';
import { ingestMetrics, type SensorReading } from '#src/operations/ingest-metrics.ts';
import { journalMetrics } from '#src/operations/journal-metrics.ts';
import { remembered } from '#src/operations/remembered.ts';
import type { CallObserver } from '#src/scaler/observer.ts';
import type { AttackObserver } from '#src/sources/attacks/attack-windows.ts';
import type { SysdigObserver } from '#src/sources/sysdig/upstream.ts';

/** What the gauges read when they are scraped. */
export interface Readings {
  /** The age in seconds of the oldest answer that triggers live on; undefined where there is none. */
  oldestAnswerSeconds(): number | undefined;
  /** How many triggers answer a last value because Sysdig fails (`onError: lastValue`). */
  triggersOnLastValue(): number;
  /** How many triggers with `source: falco` were active when KEDA last asked. */
  activeAttackTriggers(): number;
  /** Entries of the journal that are not durable yet. */
  journalBacklog(): number;
  windows(): WindowsSize;
  sensors(): readonly SensorReading[];
  readonly cluster: ClusterReadings;
  /** Epoch ms. */
  now(): number;
}

export interface Metrics extends CallObserver, SysdigObserver {
  /** Text in Prometheus' exposition format. */
  render(): Promise<string>;
  readonly contentType: string;
  readonly ingest: IngestObserver;
  readonly journal: JournalObserver;
  readonly attacks: AttackObserver;
  readonly cluster: ClusterObserver;
}

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const upstreamSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];

/** The scaler's own metrics. No label takes a value from a request beyond method and code, or an account's name. */
export function createMetrics(readings: Readings): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // Event-loop delay, garbage collection, memory, open handles.
  collectDefaultMetrics({ register: registry });

  const calls = new Histogram({
    name: 'external_scaler_call_duration_seconds',
    help: 'Unary calls by method and gRPC status.',
    labelNames: ['method', 'code'] as const,
    buckets: seconds,
    registers,
  });
  const streams = new Gauge({
    name: 'external_scaler_open_streams',
    help: 'Streams that KEDA holds open.',
    labelNames: ['method'] as const,
    registers,
  });
  const pushes = new Counter({
    name: 'external_scaler_pushes_total',
    help: 'Messages sent on streams.',
    labelNames: ['method'] as const,
    registers,
  });
  const requests = new Histogram({
    name: 'external_scaler_sysdig_request_duration_seconds',
    help: 'Requests to Sysdig by account and outcome (ok, or what failed).',
    labelNames: ['account', 'outcome'] as const,
    buckets: upstreamSeconds,
    registers,
  });
  const questions = new Counter({
    name: 'external_scaler_sysdig_questions_total',
    help: 'Questions by how they were answered: from memory, by joining a flight, or cold.',
    labelNames: ['account', 'how'] as const,
    registers,
  });
  const merged = new Counter({
    name: 'external_scaler_sysdig_merged_questions_total',
    help: 'Questions that travelled in the request of another.',
    labelNames: ['account'] as const,
    registers,
  });
  const freezes = new Counter({
    name: 'external_scaler_sysdig_freezes_total',
    help: 'Times that Sysdig said 429 and the account was frozen.',
    labelNames: ['account'] as const,
    registers,
  });
  const frozenUntil = new Map<string, number>();
  new Gauge({
    name: 'external_scaler_sysdig_frozen_seconds',
    help: 'How long the account stays frozen; 0 when it is not.',
    labelNames: ['account'] as const,
    registers,
    collect() {
      for (const [account, until] of frozenUntil) {
        this.set({ account }, Math.max(0, (until - readings.now()) / 1000));
      }
    },
  });
  const rateLimits = new Gauge({
    name: 'external_scaler_sysdig_rate_limit_per_minute',
    help: 'X-RateLimit-Limit as Sysdig last said it.',
    labelNames: ['account'] as const,
    registers,
  });
  new Gauge({
    name: 'external_scaler_oldest_answer_age_seconds',
    help: 'The age of the oldest data that a trigger was last answered with; NaN until one was.',
    registers,
    collect() {
      this.set(readings.oldestAnswerSeconds() ?? Number.NaN);
    },
  });
  new Gauge({
    name: 'external_scaler_triggers_on_last_value',
    help: 'Triggers that answer their last good value because Sysdig fails.',
    registers,
    collect() {
      this.set(readings.triggersOnLastValue());
    },
  });
  new Gauge({
    name: 'external_scaler_active_attack_triggers',
    help: 'Triggers with source falco that were active when KEDA last asked.',
    registers,
    collect() {
      this.set(readings.activeAttackTriggers());
    },
  });

  // Every call passes these two: finding the child by its labels would cost more than counting.
  const callsOf = remembered((method, code) => calls.labels(method, code));
  const pushesOf = remembered((method) => pushes.labels(method));
  const questionsOf = remembered((account, how) => questions.labels(account, how));

  return {
    called: (method, code, durationMs) => callsOf(method, code).observe(durationMs / 1000),
    opened: (method) => streams.inc({ method }),
    closed: (method) => streams.dec({ method }),
    pushed: (method) => pushesOf(method, '').inc(),
    request: (account, outcome, durationMs) => requests.observe({ account, outcome }, durationMs / 1000),
    asked: (account, how) => questionsOf(account, how).inc(),
    merged: (account, count) => merged.inc({ account }, count),
    frozen(account, until) {
      freezes.inc({ account });
      frozenUntil.set(account, until);
    },
    rateLimit: (account, perMinute) => rateLimits.set({ account }, perMinute),
    ingest: ingestMetrics(registers, () => readings.sensors()),
    journal: journalMetrics(registers, () => readings.journalBacklog()),
    attacks: attackMetrics(registers, () => readings.windows()),
    cluster: clusterMetrics(registers, readings.cluster),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
