import type { AlertFilter } from '#src/alerts/alert-filter.ts';
import type { Targets } from '#src/cluster/targets.ts';
import type { AttackedWorkload } from '#src/triggers/trigger.ts';

/** Which alerts of which workload, and how far back. */
export interface AttackQuestion {
  readonly namespace: string;
  /** `kind` undefined: any. */
  readonly workload: { readonly kind: string | undefined; readonly name: string };
  readonly filter: AlertFilter;
  readonly windowMs: number;
}

/** A question about a workload that a trigger names, or about what its ScaledObject scales. */
export interface AttackTopic extends Omit<AttackQuestion, 'namespace' | 'workload'> {
  readonly workload: AttackedWorkload;
}

/** Throws `unavailable` while it is not known what the ScaledObject scales. */
export function questionOf({ workload, filter, windowMs }: AttackTopic, targets: Targets): AttackQuestion {
  const { namespace, follows } = workload;
  const { kind, name } = follows === undefined ? workload : targets.of(follows);
  return { namespace, workload: { kind, name }, filter, windowMs };
}

/** Whether a workload is under attack, for whoever changes a target by it. Local, never waits; false while it is not known what is meant. */
export interface Attacks {
  isUnderAttack(topic: AttackTopic): boolean;
  /** Calls `onChange` when that begins or ends, until `signal` aborts. */
  watch(topic: AttackTopic, onChange: () => void, signal: AbortSignal): void;
}
