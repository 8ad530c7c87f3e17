/** What an HPA sees of one metric. */
export interface Reading {
  readonly value: number;
  readonly target: number;
  readonly metricType: 'AverageValue' | 'Value';
}

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** The HPA leaves the replicas alone while the value is within 10% of what they serve. */
const tolerance = 0.1;

/**
 * The replicas that an HPA would choose for one metric, before its own rate limits: the value shared out at `target`
 * per replica (AverageValue), or the present replicas times value ÷ target (Value).
 */
export function chooseReplicas(
  { value, target, metricType }: Reading,
  current: number,
  { min, max }: Bounds,
): number {
  const ratio = metricType === 'Value' ? value / target : value / (target * Math.max(1, current));
  const kept = current > 0 && Math.abs(ratio - 1) <= tolerance;
  const wanted = metricType === 'Value' ? Math.ceil(ratio * Math.max(1, current)) : Math.ceil(value / target);
  return Math.min(max, Math.max(min, 1, kept ? current : wanted));
}
