import type { AttackMetric, Reading } from '#src/sources/attacks/metrics/attack-metric.ts';

/** Those of the infected pods that still run and serve: neither ended, nor on their way out, nor in quarantine. */
export const infectedPods: AttackMetric = { measure: (reading) => ({ value: countInfected(reading) }) };

export function countInfected({ view, pods }: Reading): number {
  // Asked for first: without a cluster there is no answer, also while nothing is infected.
  const running = new Set(
    pods()
      .filter(({ hasEnded, isLeaving, isQuarantined }) => !hasEnded && !isLeaving && !isQuarantined)
      .map(({ uid }) => uid),
  );
  let infected = 0;
  for (const uid of view.infectedUids()) if (running.has(uid)) infected++;
  return infected;
}
