/** A rule that would strike more than this within a minute is more likely wrong than right. */
const mostWorkloads = 5;
const mostPods = 20;
const withinMs = 60_000;

interface Strike {
  readonly at: number;
  readonly pod: string;
  readonly workload: string;
}

/** Counts what each rule would take away, and says when that is too much. */
export class Disarmer {
  readonly #strikes = new Map<string, Strike[]>();

  /** Why the rule is to be disarmed now; undefined: it is not. A pod counts once. */
  strike(rule: string, pod: string, workload: string, now: number): string | undefined {
    const recent = (this.#strikes.get(rule) ?? []).filter(({ at }) => now - at < withinMs && at <= now);
    if (!recent.some((strike) => strike.pod === pod)) recent.push({ at: now, pod, workload });
    this.#strikes.set(rule, recent);
    const workloads = new Set(recent.map((strike) => strike.workload)).size;
    if (workloads <= mostWorkloads && recent.length <= mostPods) return undefined;
    return `it would take away ${recent.length} pods of ${workloads} workloads within a minute; at most ${mostPods} of ${mostWorkloads} are believed`;
  }

  /** Begins anew. */
  forget(rule: string): void {
    this.#strikes.delete(rule);
  }
}
