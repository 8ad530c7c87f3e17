import type { Subject } from '#src/journal/entry.ts';

interface Known {
  readonly id: number;
  /** The newest time that an entry about it has had. */
  newest: number;
}

/** The numbers that subjects go by in the file. A number is never used again. */
export class SubjectIds {
  readonly #ids = new Map<Subject, Known>();
  readonly #subjects = new Map<number, Subject>();
  readonly #mostKnown: number;
  #unwritten: [number, string][] = [];
  #next = 1;

  /** `mostKnown`: how many are held. */
  constructor(mostKnown = 500_000) {
    this.#mostKnown = mostKnown;
  }

  /** Takes in what the file holds; `intern` gives the one object for each subject. */
  learn(stored: readonly (readonly [number, string])[], intern: (subject: Subject) => Subject): void {
    for (const [id, body] of stored) {
      const parsed = parse(body);
      this.#next = Math.max(this.#next, id + 1);
      if (parsed === undefined) continue;
      const subject = intern(parsed);
      this.#subjects.set(id, subject);
      this.#ids.set(subject, { id, newest: 0 });
    }
  }

  /** The subject's number; a new one is handed out with `unwritten` until that is confirmed. */
  idOf(subject: Subject, at: number): number {
    const known = this.#ids.get(subject);
    if (known !== undefined) {
      if (at > known.newest) known.newest = at;
      return known.id;
    }
    const id = this.#next++;
    this.#ids.set(subject, { id, newest: at });
    this.#subjects.set(id, subject);
    this.#unwritten.push([id, JSON.stringify(subject)]);
    return id;
  }

  /** The subject of a number, that an entry of this time names. */
  use(id: number, at: number): Subject | undefined {
    const subject = this.#subjects.get(id);
    const known = subject && this.#ids.get(subject);
    if (known !== undefined && at > known.newest) known.newest = at;
    return subject;
  }

  /** Forgets who was learned from the file and is not among `used`, and tells their numbers. */
  unused(used: ReadonlySet<number>): number[] {
    return this.#forget(({ id, newest }) => newest === 0 && !used.has(id));
  }

  /** The new ones, to be written with the rows that name them. */
  get unwritten(): readonly (readonly [number, string])[] {
    return this.#unwritten;
  }

  /** The first `count` of the unwritten have been written. */
  wrote(count: number): void {
    this.#unwritten = this.#unwritten.slice(count);
  }

  /** Forgets whom no entry from `oldest` on names, and tells their numbers. */
  sweep(oldest: number): number[] {
    return this.#forget(({ newest }) => newest < oldest);
  }

  /** The time before which entries must go, so that not too many subjects are left; 0 while there are not. */
  get cut(): number {
    const tooMany = this.#ids.size - this.#mostKnown;
    if (tooMany <= 0) return 0;
    const times = Float64Array.from(this.#ids.values(), ({ newest }) => newest).sort();
    return (times[tooMany - 1] ?? 0) + 1;
  }

  #forget(isGone: (known: Known) => boolean): number[] {
    const unwritten = new Set(this.#unwritten.map(([id]) => id));
    const gone: number[] = [];
    for (const [subject, known] of this.#ids) {
      if (unwritten.has(known.id) || !isGone(known)) continue;
      this.#ids.delete(subject);
      this.#subjects.delete(known.id);
      gone.push(known.id);
    }
    return gone;
  }
}

function parse(body: string): Subject | undefined {
  try {
    return JSON.parse(body) as Subject;
  } catch {
    return undefined;
  }
}
