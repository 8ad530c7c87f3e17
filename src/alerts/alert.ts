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

/** The pod that the cluster has for an alert, and the workloads above it. */
export interface FoundPod {
  readonly uid: string;
  /** The nearest first: its ReplicaSet, its Deployment, and whatever made that. */
  readonly owners: readonly NamedWorkload[];
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
  /** As the alert itself says. */
  readonly podUid: string | undefined;
  /** Undefined without a cluster, and where that does not know the pod. */
  readonly found?: FoundPod | undefined;
  /** Only from fields and labels; never read out of a text. */
  readonly workload: NamedWorkload | undefined;
  /** The node that saw it. */
  readonly host: string | undefined;
  readonly cluster: string | undefined;
  /** For a sender that repeats what it has said: the identity of the alert, which is counted once. */
  readonly id: string | undefined;
}

/**
 * Whether anything may be done about it. Senders that serve a whole account speak of many clusters: what they say without
 * naming one may be about another.
 */
export function mayAct({ sender, cluster }: Pick<AlertSubject, 'sender' | 'cluster'>): boolean {
  return cluster !== undefined || sender === 'falco' || sender === 'fluentbit';
}
