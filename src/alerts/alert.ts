import type { Priority } from '#src/alerts/priority.ts';

/** Who delivered an alert: each has its own path, and its own parser. */
export const senders = ['falco', 'sysdig', 'alertmanager', 'fluentbit'] as const;
export type Sender = (typeof senders)[number];

/** A workload as an alert itself names it. */
export interface NamedWorkload {
  /** Lower case: `deployment`. */
  readonly kind: string;
  readonly name: string;
}

/** Everything about an alert but its time: alerts that agree in all of it are summed. */
export interface AlertSubject {
  readonly kind: 'alert';
  readonly sender: Sender;
  readonly rule: string;
  readonly priority: Priority;
  /** Falco's event source: `syscall`, `k8s_audit`, a plugin's. */
  readonly source: string;
  /** Sorted, each once. */
  readonly tags: readonly string[];
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string | undefined;
  /** Only from fields and labels; never read out of a text. */
  readonly workload: NamedWorkload | undefined;
  /** The node that saw it. */
  readonly host: string | undefined;
  readonly cluster: string | undefined;
  /** For a sender that repeats what it has said: the identity of the alert, which is counted once. */
  readonly id: string | undefined;
}
