import { compileFilter, type Signature } from '#src/alerts/alert-filter.ts';
import { stepOf } from '#src/journal/resolution.ts';
import { isOf } from '#src/sources/attacks/owners.ts';
import type { Pod } from '#src/sources/attacks/pods.ts';
import type { Recreated, WorkloadHistory } from '#src/sources/attacks/workload-history.ts';
import type { AttackQuestion } from '#src/sources/attacks.ts';

/** What happened within one step of time. */
interface Cell {
  alerts: number;
  /** Pods whose first matching alert, and pods whose last one, lies here. */
  firsts: number;
  lasts: number;
}

/**
 * The matching alerts of one workload within one sliding window, as numbers that are kept up to date: an alert costs
 * the same however many the window holds, and so does a reading.
 *
 * The window moves in steps and holds a whole number of them: at `now`, an alert of time t counts if
 * floor(t / step) > floor(now / step) - steps. It has no upper end, as a sender's clock may be a little ahead.
 */
export class View {
  readonly question: AttackQuestion;
  /** Called after each alert that matches. */
  readonly watchers = new Set<() => void>();
  /** When it was last asked, epoch ms. */
  askedAt = 0;
  /** It is kept up to date no longer: whoever holds it must ask for another. */
  isDetached = false;
  /** Rises by one with each matching alert, by more when everything was counted anew. */
  changes = 0;
  /** The time of the matching alert that came last, epoch ms. */
  latestRecorded = 0;
  readonly #histories = new Set<WorkloadHistory>();
  readonly #matches: (signature: Signature) => boolean;
  readonly #known = new Map<Signature, boolean>();
  readonly #stepMs: number;
  readonly #steps: number;
  readonly #cells = new Map<number, Cell>();
  /** First and last matching alert of each pod, in steps. */
  readonly #pods = new Map<Pod, { first: number; last: number }>();
  /** The newest step that no longer counts. */
  #cut = Number.NEGATIVE_INFINITY;
  #newest = Number.NEGATIVE_INFINITY;
  #alerts = 0;
  #infections = 0;
  #newInfections = 0;

  constructor(question: AttackQuestion) {
    this.question = question;
    this.#matches = compileFilter(question.filter);
    this.#stepMs = stepOf(question.windowMs);
    this.#steps = Math.ceil(question.windowMs / this.#stepMs);
  }

  get alerts(): number {
    return this.#alerts;
  }

  /** Distinct pods with a matching alert in the window. */
  get infections(): number {
    return this.#infections;
  }

  /** Those of them whose first one lies in the window. */
  get newInfections(): number {
    return this.#newInfections;
  }

  /** Some pods that alerts were about are no longer tracked one by one, so that numbers of pods are too low. */
  get isLowerBound(): boolean {
    for (const { foldedLast } of this.#histories) if (this.#stepAt(foldedLast) > this.#cut) return true;
    return false;
  }

  /** Times of the pods that were taken away, each once, from `from` on. */
  reapedSince(from: number): Map<string, number> {
    const reaped = new Map<string, number>();
    for (const history of this.#histories) {
      for (const { uid, at } of history.reaped.values()) if (at >= from) reaped.set(uid, at);
    }
    return reaped;
  }

  /** What became of the places of those that were, each once, by UID; of all that is remembered. */
  get recreated(): Map<string, Recreated> {
    const recreated = new Map<string, Recreated>();
    for (const history of this.#histories)
      for (const one of history.recreated.values()) recreated.set(one.uid, one);
    return recreated;
  }

  /** The UIDs of its pods with a matching alert in the window; those whose UID nobody knows are left out. */
  *infectedUids(): Generator<string> {
    for (const [{ uid }, { last }] of this.#pods) if (last > this.#cut && uid !== undefined) yield uid;
  }

  /** The first alert of the first pod, epoch ms, if that lies in the window; undefined if some were infected before. */
  get firstInfectionAt(): number | undefined {
    if (this.#infections > this.#newInfections) return undefined;
    let first: number | undefined;
    for (const [step, { firsts }] of this.#cells)
      if (firsts > 0 && !(step >= (first ?? step + 1))) first = step;
    return first === undefined ? undefined : first * this.#stepMs;
  }

  /** When the newest alert in the window happened, epoch ms, at the start of its step; undefined when none is in it. */
  get newestAt(): number | undefined {
    // A pod that was found too late counts as infected without a further alert.
    return this.#alerts === 0 && this.#infections === 0 ? undefined : this.#newest * this.#stepMs;
  }

  /** The times of all matching alerts that are remembered, in the window or not, in any order. */
  *times(): Generator<number> {
    for (const { counts } of this.#histories) {
      for (const [signature, byTime] of counts) if (this.matches(signature)) yield* byTime.times();
    }
  }

  /** Every signature that was seen of the workload. */
  *signatures(): Generator<Signature> {
    for (const { counts } of this.#histories) yield* counts.keys();
  }

  matches(signature: Signature): boolean {
    let known = this.#known.get(signature);
    if (known === undefined) {
      known = this.#matches(signature);
      this.#known.set(signature, known);
    }
    return known;
  }

  /** Signatures come and go. */
  forgetMatches(): void {
    this.#known.clear();
  }

  isAbout({ namespace, owner }: WorkloadHistory): boolean {
    return namespace === this.question.namespace && isOf(owner, this.question.workload);
  }

  /** Takes a history in, with all that it holds. */
  attach(history: WorkloadHistory, now: number): void {
    this.#histories.add(history);
    history.views.add(this);
    this.rebuild(now);
  }

  detach(): void {
    this.isDetached = true;
    for (const history of this.#histories) history.views.delete(this);
  }

  /** An alert that matches, already in the pod's record. */
  record(pod: Pod, at: number, count: number): void {
    this.changes++;
    this.latestRecorded = at;
    const step = this.#stepAt(at);
    if (step > this.#cut) {
      this.#cell(step).alerts += count;
      this.#alerts += count;
      if (step > this.#newest) this.#newest = step;
    }
    const before = this.#pods.get(pod);
    if (before === undefined) {
      this.#take(pod);
    } else {
      if (step > before.last) {
        this.#move('lasts', before.last, step);
        before.last = step;
      }
      if (step < before.first) {
        this.#move('firsts', before.first, step);
        before.first = step;
      }
    }
  }

  /** The pod is no longer tracked. */
  drop(pod: Pod): void {
    const before = this.#pods.get(pod);
    if (before === undefined) return;
    this.#move('firsts', before.first, undefined);
    this.#move('lasts', before.last, undefined);
    this.#pods.delete(pod);
  }

  /** Brings it to this time. */
  advance(now: number): void {
    const cut = this.#stepAt(now) - this.#steps;
    if (cut === this.#cut) return;
    if (cut < this.#cut) {
      this.rebuild(now);
      return;
    }
    const passed = cut - this.#cut;
    const gone = passed < this.#cells.size ? steps(this.#cut + 1, cut) : [...this.#cells.keys()];
    for (const step of gone) if (step <= cut) this.#leave(step);
    this.#cut = cut;
    // Pods that matter no more go in bulk, so that none has to be looked for.
    if (this.#pods.size > 2 * this.#infections + 64) {
      for (const [pod, { last }] of this.#pods) if (last <= cut) this.#pods.delete(pod);
    }
  }

  /** From the histories, as if it had been there all along. */
  rebuild(now: number): void {
    this.changes += 2;
    this.#cells.clear();
    this.#pods.clear();
    this.#alerts = 0;
    this.#infections = 0;
    this.#newInfections = 0;
    this.#newest = Number.NEGATIVE_INFINITY;
    this.#cut = this.#stepAt(now) - this.#steps;
    for (const { counts, pods } of this.#histories) {
      for (const [signature, byTime] of counts) {
        if (!this.matches(signature)) continue;
        for (const [at, count] of byTime.entries()) {
          const step = this.#stepAt(at);
          if (step <= this.#cut) continue;
          this.#cell(step).alerts += count;
          this.#alerts += count;
          if (step > this.#newest) this.#newest = step;
        }
      }
      for (const pod of pods) if (!this.#pods.has(pod) && this.#stepAt(pod.last) > this.#cut) this.#take(pod);
    }
  }

  /** A pod that was not here, by what is known of it. */
  #take(pod: Pod): void {
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const seen of pod.seen) {
      if (!this.matches(seen.signature)) continue;
      if (seen.first < first) first = seen.first;
      if (seen.last > last) last = seen.last;
    }
    const lastStep = this.#stepAt(last);
    if (!(lastStep > this.#cut)) return;
    const firstStep = this.#stepAt(first);
    this.#pods.set(pod, { first: firstStep, last: lastStep });
    this.#move('firsts', undefined, firstStep);
    this.#move('lasts', undefined, lastStep);
  }

  #move(which: 'firsts' | 'lasts', from: number | undefined, to: number | undefined): void {
    let change = 0;
    if (from !== undefined && from > this.#cut) {
      this.#cell(from)[which]--;
      change--;
    }
    if (to !== undefined && to > this.#cut) {
      this.#cell(to)[which]++;
      change++;
    }
    if (which === 'firsts') this.#newInfections += change;
    else this.#infections += change;
  }

  #leave(step: number): void {
    const cell = this.#cells.get(step);
    if (cell === undefined) return;
    this.#alerts -= cell.alerts;
    this.#newInfections -= cell.firsts;
    this.#infections -= cell.lasts;
    this.#cells.delete(step);
  }

  #cell(step: number): Cell {
    let cell = this.#cells.get(step);
    if (cell === undefined) {
      cell = { alerts: 0, firsts: 0, lasts: 0 };
      this.#cells.set(step, cell);
    }
    return cell;
  }

  #stepAt(at: number): number {
    return Math.floor(at / this.#stepMs);
  }
}

function* steps(from: number, to: number): Generator<number> {
  for (let step = from; step <= to; step++) yield step;
}
