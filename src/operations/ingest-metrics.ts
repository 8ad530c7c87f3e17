import { Gauge, type Registry } from 'prom-client';
import type { IngestObserver } from '#src/ingest/observer.ts';
import { tallyCounter } from '#src/operations/tally-counter.ts';

/** When a sender was last heard; ages in seconds. */
export interface SensorReading {
  readonly sender: string;
  readonly credential: string;
  readonly silentSeconds: number;
  readonly isSilent: boolean;
}

/** What the ingest does, as metrics; `sensors` is read when they are scraped. */
export function ingestMetrics(
  registers: Registry[],
  sensors: () => readonly SensorReading[],
): IngestObserver {
  const answered = tallyCounter({
    name: 'external_scaler_ingest_requests_total',
    help: 'Requests with alerts by sender and HTTP status.',
    labelNames: ['sender', 'status'],
    registers,
  });
  const counted = tallyCounter({
    name: 'external_scaler_ingest_alerts_total',
    help: 'Alerts by sender and what became of them.',
    labelNames: ['sender', 'outcome'],
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
  return { answered: (sender, status) => answered(sender, `${status}`, 1), counted };
}
