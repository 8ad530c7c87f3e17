import type { AlertSubject, NamedWorkload } from '#src/alerts/alert.ts';

/** A pod that one of our acts was about. */
interface ActedOn {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  /** The workloads above it, the nearest first. */
  readonly owners: readonly NamedWorkload[];
}

/** The reaper looked at a pod: once for each pod, verdict and reason in a while, however many alerts there are. */
export interface DecisionSubject extends ActedOn {
  readonly kind: 'decision';
  readonly rule: string;
  /** `reap`: it is about to be done. `would-reap`: it would be, without dry-run. */
  readonly verdict: 'reap' | 'would-reap' | 'skip';
  readonly reason: string;
}

/** The reaper has taken a pod away. */
export interface ReapSubject extends ActedOn {
  readonly kind: 'reap';
  readonly how: 'evicted' | 'quarantined';
  readonly rule: string;
  /** Of this pod, epoch ms. */
  readonly firstAlertAt: number;
}

/** A reaped pod's place that nobody has taken for longer is given up. */
export const overdueMs = 10 * 60_000;

/** What became of a reaped pod's place. */
export interface RecreationSubject extends ActedOn {
  readonly kind: 'recreation';
  /** `cancelled`: the workload was scaled in meanwhile, so none is to come. */
  readonly outcome: 'ready' | 'overdue' | 'cancelled';
  readonly replacementUid: string | undefined;
  /** From the eviction until the replacement was Ready, ms. */
  readonly tookMs: number;
  /** The same from the pod's first alert. */
  readonly sinceAlertMs: number;
}

/** An attack on a workload begins: what it had before anything was done about it. */
export interface AttackSubject {
  readonly kind: 'attack';
  readonly namespace: string;
  readonly workload: NamedWorkload;
  /** `spec.replicas`. */
  readonly replicas: number;
}

/** A rule of the reaper's was disarmed, or counts again. */
export interface ArmingSubject {
  readonly kind: 'arming';
  readonly rule: string;
  readonly isArmed: boolean;
  readonly reason: string;
}

/** What an entry is about. */
export type Subject =
  | AlertSubject
  | DecisionSubject
  | ReapSubject
  | RecreationSubject
  | AttackSubject
  | ArmingSubject;

/**
 * Something that happened `count` times at one time.
 *
 * Subjects are compared by identity wherever speed counts, so whoever makes entries uses one object for one subject as
 * long as it can; two objects that are equal are only slower.
 */
export interface Entry {
  readonly subject: Subject;
  /** Epoch ms, at the start of its tick or of a coarser step (`resolution.ts`). */
  readonly at: number;
  readonly count: number;
}

/** One process's life: `epoch` is when it started, epoch ms. */
export interface Writer {
  readonly replica: string;
  readonly epoch: number;
}

/** Entries that one writer appends together; the entry at index i has the sequence `sequence + i`. */
export interface Batch {
  readonly writer: Writer;
  readonly sequence: number;
  readonly entries: readonly Entry[];
}
