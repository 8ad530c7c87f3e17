import type { AlertFilter } from '#src/alerts/alert-filter.ts';

/** Which alerts of which workload, and how far back. */
export interface AttackQuestion {
  readonly namespace: string;
  /** `kind` undefined: any. */
  readonly workload: { readonly kind: string | undefined; readonly name: string };
  readonly filter: AlertFilter;
  readonly windowMs: number;
}

/** Whether a workload is under attack, for whoever changes a target by it. Local, never waits. */
export interface Attacks {
  isUnderAttack(question: AttackQuestion): boolean;
  /** Calls `onChange` when that begins or ends, until `signal` aborts. */
  watch(question: AttackQuestion, onChange: () => void, signal: AbortSignal): void;
}
