import type { Signature } from '#src/alerts/alert-filter.ts';
import type { Owner } from '#src/sources/attacks/owners.ts';
import type { Pod } from '#src/sources/attacks/pods.ts';
import { StepCounts } from '#src/sources/attacks/step-counts.ts';
import type { View } from '#src/sources/attacks/view.ts';

/** What happened to one workload: alerts by signature and time, and the pods they were about. */
export class WorkloadHistory {
  readonly namespace: string;
  readonly owner: Owner;
  readonly counts = new Map<Signature, StepCounts>();
  readonly pods = new Set<Pod>();
  /** Those who watch this workload. */
  readonly views = new Set<View>();
  /** Shared by the many pods that are counted here and nowhere else. */
  readonly alone: readonly WorkloadHistory[] = [this];
  /** The newest alert about a pod that is no longer tracked one by one. */
  foldedLast = Number.NEGATIVE_INFINITY;

  constructor(namespace: string, owner: Owner) {
    this.namespace = namespace;
    this.owner = owner;
  }

  count(signature: Signature, at: number, count: number): void {
    let counts = this.counts.get(signature);
    if (counts === undefined) {
      counts = new StepCounts();
      this.counts.set(signature, counts);
    }
    counts.add(at, count);
  }

  tidy(now: number, from: number): void {
    for (const [signature, counts] of this.counts) {
      counts.tidy(now, from);
      if (counts.isEmpty) this.counts.delete(signature);
    }
  }

  /** What lies beyond `latest` is moved there. */
  clamp(latest: number): void {
    for (const counts of this.counts.values()) counts.clamp(latest);
    this.foldedLast = Math.min(this.foldedLast, latest);
  }

  get isEmpty(): boolean {
    return this.counts.size === 0 && this.pods.size === 0;
  }
}
