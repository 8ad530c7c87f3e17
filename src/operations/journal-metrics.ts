import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { JournalObserver } from '#src/journal/journal.ts';

const commitSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/** What the journal does, as metrics; `backlog` is read when they are scraped. */
export function journalMetrics(registers: Registry[], backlog: () => number): JournalObserver {
  const commits = new Histogram({
    name: 'external_scaler_journal_commit_duration_seconds',
    help: 'How long it took to make a group of entries durable.',
    buckets: commitSeconds,
    registers,
  });
  const entries = new Counter({
    name: 'external_scaler_journal_entries_total',
    help: 'Entries made durable.',
    registers,
  });
  const durable = new Gauge({
    name: 'external_scaler_journal_durable',
    help: '1 while what is received is made durable, 0 after a write has failed.',
    registers,
  });
  durable.set(1);
  const lost = new Counter({
    name: 'external_scaler_journal_lost_entries_total',
    help: 'Entries that will never be durable, or were dropped before their time to keep the size.',
    registers,
  });
  const setAside = new Counter({
    name: 'external_scaler_journal_set_aside_total',
    help: 'Journals that could not be read and were moved aside.',
    registers,
  });
  const size = new Gauge({
    name: 'external_scaler_journal_size_bytes',
    help: 'The size of the journal.',
    registers,
  });
  new Gauge({
    name: 'external_scaler_journal_backlog_entries',
    help: 'Entries received that are not durable yet.',
    registers,
    collect() {
      this.set(backlog());
    },
  });
  return {
    committed(count, durationMs) {
      commits.observe(durationMs / 1000);
      entries.inc(count);
    },
    durable: (isDurable) => durable.set(isDurable ? 1 : 0),
    lost: (count) => lost.inc(count),
    setAside: () => setAside.inc(),
    size: (bytes) => size.set(bytes),
  };
}
