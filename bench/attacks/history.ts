import { join } from 'node:path';
import type { AlertSubject } from '#src/alerts/alert.ts';
import { systemClock } from '#src/clock.ts';
import type { Entry } from '#src/journal/entry.ts';
import { openJournal } from '#src/journal/open-journal.ts';
import { Recorder } from '#src/journal/recorder.ts';
import { floorTo, tickMs } from '#src/journal/resolution.ts';
import { podName } from '#test/harness/falco-alert.ts';
import { KedaClient } from '#test/harness/keda-client.ts';
import { startScaler } from '#test/harness/scaler-process.ts';
import { silentLog } from '#test/harness/silent-log.ts';
import { dataFolder } from './data-folder.ts';

const everyMs = 5_000;
const historyMs = 5 * 60_000;

/** A scaler that starts on five minutes of an attack on 100,000 pods, each alerting every 5 s, and is then asked. */
export async function benchMemory() {
  const { residentMb, replayed, infections } = await startOn({
    pods: 100_000,
    alerts: 100_000 * (historyMs / everyMs),
  });
  return { alerts: replayed.entries, infections, residentMb, limitMb: 200 };
}

/** How long a start takes to rebuild all windows from a million alerts, none of which could be summed with another. */
export async function benchReplay() {
  const { replayed, infections } = await startOn({ pods: 10_000, alerts: 1_000_000 });
  return { alerts: replayed.entries, infections, ms: replayed.ms, limitMs: 1_000 };
}

interface Replayed {
  readonly entries: number;
  readonly ms: number;
}

async function startOn({ pods, alerts }: { pods: number; alerts: number }) {
  const data = dataFolder();
  await fill(join(data.path, 'journal.db'), { pods, alerts });
  const scaler = await startScaler(data.settings);
  const line = scaler.lines.find((one) => one.includes('"msg":"replayed the journal"')) ?? '{}';
  const replayed = JSON.parse(line) as Replayed;
  const keda = new KedaClient(scaler.grpc);
  const ref = {
    namespace: 'shop',
    name: 'checkout',
    scalerMetadata: { source: 'falco', metric: 'infections', threshold: '1', window: '10m' },
  };
  const name = (await keda.getMetricSpec(ref)).metricSpecs[0]?.metricName ?? '';
  const infections = (await keda.getMetrics(ref, name)).metricValues[0]?.metricValueFloat;
  const text = await (await fetch(`${scaler.operations}/metrics`)).text();
  const residentMb = Math.round(Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]) / 1e6);
  keda.close();
  await scaler.stop();
  data.remove();
  return { replayed, infections, residentMb };
}

/** Writes the journal that such an attack would have left, the pods taking turns. */
export async function fill(path: string, { pods, alerts }: { pods: number; alerts: number }): Promise<void> {
  const journal = await openJournal(`sqlite:${path}`, {
    clock: systemClock,
    log: silentLog,
    observer: { committed() {}, durable() {}, lost() {}, setAside() {}, size() {} },
    retentionMs: 24 * 3_600_000,
    maxBytes: 10e9,
  });
  const recorder = new Recorder(journal, { replica: 'bench', epoch: 1 });
  const subjects = Array.from({ length: pods }, (_, index) => subjectOf(index));
  const startedAt = Date.now() - historyMs;
  const perBatch = 500;
  for (let done = 0; done < alerts; done += perBatch) {
    const entries = Array.from({ length: Math.min(perBatch, alerts - done) }, (_, index): Entry => {
      const number = done + index;
      return {
        subject: subjects[number % pods] as AlertSubject,
        at: floorTo(tickMs, startedAt + (historyMs * number) / alerts),
        count: 1,
      };
    });
    await recorder.record(entries);
  }
  await journal.close();
}

function subjectOf(index: number): AlertSubject {
  return {
    kind: 'alert',
    sender: 'falco',
    rule: 'Drop and execute new binary in container',
    priority: 'Critical',
    source: 'syscall',
    tags: ['container', 'mitre_persistence', 'process'],
    namespace: 'shop',
    pod: podName('checkout', index),
    podUid: `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
    workload: undefined,
    host: `node-${index % 100}`,
    cluster: undefined,
    id: undefined,
  };
}
