import { Failure } from '#src/failure.ts';
import type { AttackMetric } from '#src/sources/attacks/metrics/attack-metric.ts';

/** A metric that this version cannot measure: an error in words, never a 0. */
export function missing(reason: string): AttackMetric {
  return {
    measure() {
      throw new Failure('not-found', reason);
    },
  };
}
