import { Counter, Gauge, type Registry } from 'prom-client';
import type { AttackObserver } from '#src/sources/attacks/attack-windows.ts';

/** What the windows hold now. */
export interface WindowsSize {
  readonly pods: number;
  readonly workloads: number;
  readonly views: number;
}

/** What the attack windows do, as metrics; `size` is read when they are scraped. */
export function attackMetrics(registers: Registry[], size: () => WindowsSize): AttackObserver {
  const late = new Counter({
    name: 'external_scaler_attack_late_alerts_total',
    help: 'Alerts that were older than anything that can be asked for.',
    registers,
  });
  const folded = new Counter({
    name: 'external_scaler_attack_folded_pods_total',
    help: 'Pods that are no longer told apart, as there are too many: numbers of pods are lower bounds.',
    registers,
  });
  const overflowed = new Counter({
    name: 'external_scaler_attack_overflowed_alerts_total',
    help: 'Alerts whose rule and tags were given up, as there are too many.',
    registers,
  });
  gauge('external_scaler_attack_pods', 'Pods that are tracked.', () => size().pods);
  gauge('external_scaler_attack_workloads', 'Workloads that alerts were about.', () => size().workloads);
  gauge('external_scaler_attack_views', 'Distinct windows that triggers ask about.', () => size().views);
  return {
    late: (alerts) => late.inc(alerts),
    folded: (pods) => folded.inc(pods),
    overflowed: () => overflowed.inc(),
  };

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }
}
