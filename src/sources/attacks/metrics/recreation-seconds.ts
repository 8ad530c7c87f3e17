import type { AttackMetric } from '#src/sources/attacks/metrics/attack-metric.ts';
import type { Recreated } from '#src/sources/attacks/workload-history.ts';

/**
 * The median time from an eviction until a replacement was Ready, seconds, over the window; without one in the window the
 * last that is remembered, else what the trigger assumes.
 */
export const recreationSeconds: AttackMetric = {
  measure({ view, trigger, now, requireReaper }) {
    requireReaper();
    const finished = [...view.recreated.values()].filter(({ outcome }) => outcome !== 'cancelled');
    const recent = finished.filter(({ at }) => at >= now - trigger.windowMs);
    if (recent.length > 0)
      return { value: quantile(recent.map(seconds), 0.5), inputs: { recreations: recent.length } };
    const last = finished.reduce<Recreated | undefined>(
      (a, b) => (a === undefined || b.at > a.at ? b : a),
      undefined,
    );
    return last === undefined
      ? { value: trigger.assumedRecreationMs / 1_000, isAssumed: true }
      : { value: seconds(last), inputs: { recreations: 0 } };
  },
};

function seconds({ tookMs }: Recreated): number {
  return tookMs / 1_000;
}

/** By linear interpolation between the closest ranks; of at least one number. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}
