import { namesOf } from '#src/sources/attacks/owners.ts';
import { View } from '#src/sources/attacks/view.ts';
import type { WorkloadHistory } from '#src/sources/attacks/workload-history.ts';
import type { AttackQuestion } from '#src/sources/attacks.ts';

/** How long one is kept that nobody asks for. */
const livesMs = 15 * 60_000;

/** One view for each distinct question, connected with the histories that it is about. */
export class Views {
  readonly #views = new Map<string, View>();
  /** The same by namespace and name of the workload. */
  readonly #byName = new Map<string, Set<View>>();

  get size(): number {
    return this.#views.size;
  }

  /** The view that answers a question. A new one is connected with the histories of that name, which `historiesOf` gives. */
  of(question: AttackQuestion, now: number, historiesOf: (name: string) => readonly WorkloadHistory[]): View {
    const key = keyOf(question);
    const known = this.#views.get(key);
    if (known !== undefined) return known;
    const view = new View(question);
    this.#views.set(key, view);
    for (const name of placesOf(question)) {
      const views = this.#byName.get(name) ?? new Set();
      this.#byName.set(name, views.add(view));
      for (const history of historiesOf(name)) if (view.isAbout(history)) view.attach(history, now);
    }
    return view;
  }

  /** Connects a new history, of this namespace and name, with the views that are about it. */
  connect(name: string, history: WorkloadHistory, now: number): void {
    for (const view of this.#byName.get(name) ?? []) if (view.isAbout(history)) view.attach(history, now);
  }

  /** Drops those that nobody has asked for in a while. */
  tidy(now: number): void {
    for (const [key, view] of this.#views) {
      view.forgetMatches();
      if (view.watchers.size === 0 && now - view.askedAt >= livesMs) this.#drop(key, view);
    }
  }

  rebuild(now: number): void {
    for (const view of this.#views.values()) view.rebuild(now);
  }

  #drop(key: string, view: View): void {
    view.detach();
    this.#views.delete(key);
    for (const name of placesOf(view.question)) {
      const views = this.#byName.get(name);
      views?.delete(view);
      if (views?.size === 0) this.#byName.delete(name);
    }
  }
}

function keyOf({ namespace, workload, windowMs, filter }: AttackQuestion): string {
  const { minimumPriority, rules, tags, sources, acting = false } = filter;
  return JSON.stringify([
    namespace,
    workload.kind,
    workload.name,
    windowMs,
    minimumPriority,
    rules,
    tags,
    sources,
    acting,
  ]);
}

/** Under which names its histories may stand. */
function placesOf({ namespace, workload }: AttackQuestion): string[] {
  return namesOf(workload.name).map((name) => `${namespace}/${name}`);
}
