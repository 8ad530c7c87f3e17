import { Counter, Gauge, type Registry } from 'prom-client';

/** Told of what is asked of the cluster, and done to it. */
export interface ClusterObserver {
  requested(method: string): void;
  decided(verdict: string, reason: string): void;
  reaped(how: string): void;
  recreated(outcome: string): void;
  surged(outcome: string): void;
}

export interface ClusterReadings {
  /** Whether this replica is the one that acts. */
  acts(): boolean;
  /** How many rules are disarmed. */
  disarmed(): number;
}

export function clusterMetrics(registers: Registry[], readings: ClusterReadings): ClusterObserver {
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `external_scaler_${name}`, help, labelNames, registers });
  const requests = counter('kubernetes_requests_total', 'Requests to the API server, watches among them.', [
    'method',
  ]);
  const decisions = counter('reaper_decisions_total', 'What the reaper decided about pods, and why.', [
    'verdict',
    'reason',
  ]);
  const reaps = counter('reaper_reaps_total', 'Pods that the reaper took away.', ['how']);
  const recreations = counter('reaper_recreations_total', 'What became of the places of reaped pods.', [
    'outcome',
  ]);
  const surges = counter('surges_total', 'Surges by outcome: raised, or why not.', ['outcome']);
  gauge('acting', '1 on the replica that may act (surge, reaper).', () => (readings.acts() ? 1 : 0));
  gauge(
    'reaper_disarmed_rules',
    'Rules that struck too many and do not count until they are armed again.',
    () => readings.disarmed(),
  );
  return {
    requested: (method) => requests.inc({ method }),
    decided: (verdict, reason) => decisions.inc({ verdict, reason }),
    reaped: (how) => reaps.inc({ how }),
    recreated: (outcome) => recreations.inc({ outcome }),
    surged: (outcome) => surges.inc({ outcome }),
  };

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `external_scaler_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }
}
