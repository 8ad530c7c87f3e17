import type { View } from '#src/sources/attacks/view.ts';

/** A number made of what happened to a workload within a window. */
export interface AttackMetric {
  /** The value now. Throws `not-found` where it cannot be had, with the reason. */
  measure(view: View): number;
}
