import type { Signature } from '#src/alerts/alert-filter.ts';
import type { RecreationSubject } from '#src/journal/entry.ts';
import type { Owner } from '#src/sources/attacks/owners.ts';
import type { Pod } from '#src/sources/attacks/pods.ts';
import { StepCounts } from '#src/sources/attacks/step-counts.ts';
import type { View } from '#src/sources/attacks/view.ts';

/** A pod that was taken away. Times are epoch ms. */
export interface Reaped {
  readonly uid: string;
  readonly at: number;
}

/** What became of its place. */
export interface Recreated extends Reaped, Pick<RecreationSubject, 'outcome' | 'tookMs' | 'sinceAlertMs'> {}

/** What happened to one workload: alerts by signature and time, the pods they were about, and what was done about those. */
export class WorkloadHistory {
  readonly namespace: string;
  readonly owner: Owner;
  readonly counts = new Map<Signature, StepCounts>();
  readonly pods = new Set<Pod>();
  /** The latest of each pod, in no order; a few a minute at most. */
  readonly reaped = new Map<string, Reaped>();
  readonly recreated = new Map<string, Recreated>();
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
    for (const done of [this.reaped, this.recreated]) {
      for (const [uid, { at }] of done) if (at < from) done.delete(uid);
    }
  }

  /** What lies beyond `latest` is moved there. */
  clamp(latest: number): void {
    for (const counts of this.counts.values()) counts.clamp(latest);
    this.foldedLast = Math.min(this.foldedLast, latest);
  }

  get isEmpty(): boolean {
    return (
      this.counts.size === 0 && this.pods.size === 0 && this.reaped.size === 0 && this.recreated.size === 0
    );
  }
}
