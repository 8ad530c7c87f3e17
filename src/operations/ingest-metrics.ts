import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { IngestObserver } from '#src/ingest/observer.ts';
import { remembered } from '#src/operations/remembered.ts';

/** When a sender was last heard; ages in seconds. */
export interface SensorReading {
  readonly sender: string;
  readonly credential: string;
  readonly silentSeconds: number;
  readonly isSilent: boolean;
}

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/** What the ingest does, as metrics; `sensors` is read when they are scraped. */
export function ingestMetrics(
  registers: Registry[],
  sensors: () => readonly SensorReading[],
): IngestObserver {
  const requests = new Histogram({
    name: 'external_scaler_ingest_request_duration_seconds',
    help: 'Requests with alerts by sender and HTTP status.',
    labelNames: ['sender', 'status'] as const,
    buckets: seconds,
    registers,
  });
  const alerts = new Counter({
    name: 'external_scaler_ingest_alerts_total',
    help: 'Alerts by sender and what became of them.',
    labelNames: ['sender', 'outcome'] as const,
    registers,
  });
  const labelNames = ['sender', 'credential'] as const;
  new Gauge({
    name: 'external_scaler_last_alert_seconds',
    help: 'How long ago a sender was last heard.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { sender, credential, silentSeconds } of sensors())
        this.set({ sender, credential }, silentSeconds);
    },
  });
  new Gauge({
    name: 'external_scaler_sensor_silent',
    help: '1 when a sender has been silent for longer than sensorMaxSilence.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { sender, credential, isSilent } of sensors())
        this.set({ sender, credential }, isSilent ? 1 : 0);
    },
  });
  const requestsOf = remembered((sender, status) => requests.labels(sender, status));
  const alertsOf = remembered((sender, outcome) => alerts.labels(sender, outcome));
  return {
    answered: (sender, status, durationMs) => requestsOf(sender, String(status)).observe(durationMs / 1000),
    counted: (sender, outcome, count) => alertsOf(sender, outcome).inc(count),
  };
}
