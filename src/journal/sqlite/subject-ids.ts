import type { Subject } from '#src/journal/entry.ts';

interface Known {
  readonly subject: Subject;
  readonly id: number;
  /** The newest time that an entry about it has had. */
  newest: number;
}

/** No entry has named it. Not an integer: a field that also held those would get a new object with each time. */
const never = Number.NEGATIVE_INFINITY;

/** The numbers that subjects go by in the file. A number is never used again. */
export class SubjectIds {
  readonly #ids = new Map<Subject, Known>();
  readonly #byId = new Map<number, Known>();
  readonly #mostKnown: number;
  #unwritten: [number, string][] = [];
  #unwrittenChars = 0;
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
      this.#know({ subject, id, newest: never });
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
    this.#know({ subject, id, newest: at });
    const body = JSON.stringify(subject);
    this.#unwritten.push([id, body]);
    this.#unwrittenChars += body.length;
    return id;
  }

  /** The subject of a number, that an entry of this time names. */
  use(id: number, at: number): Subject | undefined {
    const known = this.#byId.get(id);
    if (known === undefined) return undefined;
    if (at > known.newest) known.newest = at;
    return known.subject;
  }

  /** Forgets those that were learned from the file and never used since, and tells their numbers. */
  unused(): number[] {
    return this.#forget(({ newest }) => newest === never);
  }

  /** The new ones, to be written with the rows that name them. */
  get unwritten(): readonly (readonly [number, string])[] {
    return this.#unwritten;
  }

  /** The first `count` of the unwritten have been written. */
  wrote(count: number): void {
    for (const [, { length }] of this.#unwritten.splice(0, count)) this.#unwrittenChars -= length;
  }

  /** How much text is not written yet. */
  get unwrittenChars(): number {
    return this.#unwrittenChars;
  }

  /** Forgets all of the unwritten after the first `spared`: whoever names them again writes them anew. */
  dropUnwritten(spared: number): void {
    for (const [id, { length }] of this.#unwritten.splice(spared)) {
      this.#unwrittenChars -= length;
      this.#drop(id);
    }
  }

  /** The file that knew them is gone: all are to be written again. */
  rewrite(): void {
    this.#unwritten = [];
    this.#unwrittenChars = 0;
    for (const { id, subject } of this.#byId.values()) {
      const body = JSON.stringify(subject);
      this.#unwritten.push([id, body]);
      this.#unwrittenChars += body.length;
    }
  }

  /** So many more than may be held that the next upkeep is too late. */
  get isCrowded(): boolean {
    return this.#byId.size > this.#mostKnown * 1.1;
  }

  /** Forgets whom no entry from `oldest` on names, and tells their numbers. */
  sweep(oldest: number): number[] {
    return this.#forget(({ newest }) => newest < oldest);
  }

  /** The time before which entries must go, so that not too many subjects are left; 0 while there are not. */
  get cut(): number {
    const tooMany = this.#byId.size - this.#mostKnown;
    if (tooMany <= 0) return 0;
    const times = Float64Array.from(this.#byId.values(), ({ newest }) => newest).sort();
    return (times[tooMany - 1] ?? 0) + 1;
  }

  #forget(isGone: (known: Known) => boolean): number[] {
    const unwritten = new Set(this.#unwritten.map(([id]) => id));
    const gone: number[] = [];
    for (const known of this.#byId.values()) {
      if (unwritten.has(known.id) || !isGone(known)) continue;
      this.#drop(known.id);
      gone.push(known.id);
    }
    return gone;
  }

  #drop(id: number): void {
    const known = this.#byId.get(id);
    if (known === undefined) return;
    this.#byId.delete(id);
    // Two numbers may stand for one subject, of which the later is in use.
    if (this.#ids.get(known.subject) === known) this.#ids.delete(known.subject);
  }

  #know(known: Known): void {
    this.#ids.set(known.subject, known);
    this.#byId.set(known.id, known);
  }
}

function parse(body: string): Subject | undefined {
  try {
    return JSON.parse(body) as Subject;
  } catch {
    return undefined;
  }
}
