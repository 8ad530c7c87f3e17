import type { Clock } from '#src/clock.ts';
import { Agenda } from '#src/sources/sysdig/broker/agenda.ts';
import type { Entry } from '#src/sources/sysdig/broker/entry.ts';
import type { Answer } from '#src/sources/sysdig/question.ts';

/** How long the first question of a quiet family or namespace waits for others. */
const gatherMs = 10;
/** How far apart new questions of one family or namespace leave: the many of a start share a few requests. */
const apartMs = 500;

/**
 * Decides when the questions of one account leave, and which leave together. New ones gather for a moment; those that
 * are warm are asked again in rounds: the first that is due takes along what will be soon, and from then on they keep
 * step. One timer for all of them.
 */
export class Desk {
  readonly #clock: Clock;
  readonly #depart: (entries: Entry[]) => void;
  readonly #agenda = new Agenda<Entry>();
  readonly #gathering = new Map<Entry, number>();
  /** When a family or namespace last left. */
  readonly #departures = new Map<string, number>();
  /** When the first of those that gather leaves. */
  #ripeAt = Infinity;
  #wakeAt = Infinity;
  #cancelWake = () => {};
  #closed = false;

  constructor({ clock, depart }: { clock: Clock; depart: (entries: Entry[]) => void }) {
    this.#clock = clock;
    this.#depart = depart;
  }

  /** Lets the question leave with the next that leave; its flight begins now. */
  admit(entry: Entry): Promise<Answer> {
    if (entry.flight) return entry.flight;
    const flight = entry.begin();
    entry.dueAt = undefined;
    const now = this.#clock.now();
    const last = Math.max(...circlesOf(entry).map((circle) => this.#departures.get(circle) ?? -Infinity));
    const leavesAt = Math.max(now + gatherMs, last + apartMs);
    this.#gathering.set(entry, leavesAt);
    this.#ripeAt = Math.min(this.#ripeAt, leavesAt);
    this.#wake();
    return flight;
  }

  /** Has a warm question asked again when its answer, or its failure, has served its time. */
  keepWarm(entry: Entry): void {
    if (this.#closed || entry.flight || !entry.isWanted) return;
    const { answer, failure, refreshMs, patienceMs } = entry;
    const served = failure || !answer ? entry.failedUntil : answer.askedAt + refreshMs + patienceMs;
    const at = Math.max(served, entry.restingUntil);
    if (entry.dueAt !== undefined && entry.dueAt <= at) return;
    if (at <= this.#clock.now()) {
      void this.admit(entry);
      return;
    }
    this.#agenda.put(entry, at);
    this.#wake();
  }

  /** Nothing leaves any more. Returns those that were about to. */
  close(): Entry[] {
    this.#closed = true;
    this.#cancelWake();
    const waiting = [...this.#gathering.keys()];
    this.#gathering.clear();
    return waiting;
  }

  #wake(): void {
    const at = Math.min(this.#agenda.next() ?? Infinity, this.#ripeAt);
    if (at === this.#wakeAt || this.#closed) return;
    this.#cancelWake();
    this.#wakeAt = at;
    if (at === Infinity) return;
    this.#cancelWake = this.#clock.after(at - this.#clock.now(), () => {
      this.#wakeAt = Infinity;
      this.#leave();
    });
  }

  #leave(): void {
    const now = this.#clock.now();
    const leaving = new Set<Entry>(this.#round(now));
    const inRound = leaving.size > 0;
    const ripe = [...this.#gathering].filter(([, at]) => at <= now).map(([entry]) => entry);
    const circles = new Set(ripe.flatMap(circlesOf));
    for (const entry of this.#gathering.keys()) {
      if (inRound || circlesOf(entry).some((circle) => circles.has(circle))) leaving.add(entry);
    }
    this.#forgetDepartures(now);
    for (const entry of leaving) {
      this.#gathering.delete(entry);
      for (const circle of circlesOf(entry)) this.#departures.set(circle, now);
      entry.begin();
    }
    this.#ripeAt = Math.min(Infinity, ...this.#gathering.values());
    if (leaving.size > 0) this.#depart([...leaving]);
    this.#wake();
  }

  /** What is due, and of the rest what would be within a quarter of its time. */
  #round(now: number): Entry[] {
    const due = this.#takeUntil(now);
    if (due.length === 0) return [];
    const soonMs = Math.max(...due.map(soon));
    for (const entry of this.#takeUntil(now + soonMs, now)) due.push(entry);
    return due;
  }

  #takeUntil(until: number, now = until): Entry[] {
    const taken: Entry[] = [];
    const left: [Entry, number][] = [];
    for (let next = this.#agenda.next(); next !== undefined && next <= until; next = this.#agenda.next()) {
      const entry = this.#agenda.take(until);
      if (!entry) break;
      if (next > now + (entry.failure ? 0 : soon(entry))) left.push([entry, next]);
      else if (entry.isOutdated) for (const follower of [...entry.followers]) follower.onMoved();
      else if (!entry.flight && entry.isWanted) taken.push(entry);
    }
    for (const [entry, at] of left) this.#agenda.put(entry, at);
    return taken;
  }

  #forgetDepartures(now: number): void {
    for (const [circle, at] of this.#departures) {
      if (now - at > apartMs) this.#departures.delete(circle);
    }
  }
}

/** Those that it may share a request with. */
function circlesOf({ inquiry, lane }: Entry): string[] {
  return inquiry.family === undefined ? [`lane ${lane}`] : [`lane ${lane}`, `family ${inquiry.family}`];
}

function soon(entry: Entry): number {
  return entry.refreshMs / 4 + entry.patienceMs;
}
