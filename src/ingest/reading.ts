import type { SubjectParts } from '#src/alerts/subjects.ts';
import { isMembers, type Members, saidText, shown } from '#src/ingest/wire-values.ts';

/** An alert as its sender tells it. An empty `namespace` or `pod`: it names none that Kubernetes could have. */
export interface ParsedAlert extends SubjectParts {
  /** Epoch ms; undefined where the sender told no time that can be read. */
  readonly at: number | undefined;
  /** A repeating sender says that the alert of this identity is over. */
  readonly ended: boolean;
  /** Who made the request to the API server that it is about. */
  readonly user?: string | undefined;
}

/** Reads one value of a body into the reading. */
export type Parser = (value: unknown, reading: Reading) => void;

const mostProblems = 5;
const deepest = 32;
const mostFields = 1_024;

/** What a body holds, and what was wrong with it. */
export class Reading {
  readonly alerts: ParsedAlert[] = [];
  /** The sender lives, and reports no attack. */
  signsOfLife = 0;
  /** What was to be an alert and cannot be read as one. */
  malformed = 0;
  /** Texts that were longer than is kept. */
  cut = 0;
  /** The first few of what was wrong, each on one line. */
  readonly problems: string[] = [];
  #place = 0;

  /** The next alert's members, where it has such and they are not too many or too deep. */
  begin(value: unknown): Members | undefined {
    this.#place += 1;
    if (!isMembers(value)) {
      this.refuse(`expected an object, got ${shown(value)}`);
      return undefined;
    }
    if (fieldsIn(value, 1) <= mostFields) return value;
    this.refuse(`expected at most ${mostFields} fields, at most ${deepest} levels deep, got more`);
    return undefined;
  }

  /** The alert begun last is not one. */
  refuse(problem: string): void {
    this.malformed += 1;
    if (this.problems.length < mostProblems) this.problems.push(`alert ${this.#place}: ${problem}`);
  }

  /** What is no JSON at all. */
  refuseText(problem: string): void {
    this.#place += 1;
    this.refuse(problem);
  }

  /** A text that says something, cut to a bounded length. */
  text(value: unknown, most: number): string | undefined {
    const said = saidText(value);
    if (said === undefined || said.length <= most) return said;
    this.cut += 1;
    return said.slice(0, most).toWellFormed();
  }

  /** Tags from an array, or from a text with commas between them: sorted, each once. */
  tags(value: unknown): readonly string[] {
    const given = typeof value === 'string' ? value.split(',') : value;
    if (!Array.isArray(given) || given.length === 0) return noTags;
    const tags: string[] = [];
    for (const one of given) {
      if (tags.length === mostTags) {
        this.cut += 1;
        break;
      }
      const tag = this.text(typeof one === 'string' ? one.trim() : undefined, mostTagLength);
      if (tag !== undefined) tags.push(tag);
    }
    return areAscending(tags) ? tags : [...new Set(tags)].sort();
  }
}

const noTags: readonly string[] = [];
const mostTags = 64;
const mostTagLength = 128;

/** Infinity when it is too deep, so that it is also too many. */
function fieldsIn(value: object, depth: number): number {
  if (depth > deepest) return Number.POSITIVE_INFINITY;
  let fields = 0;
  if (Array.isArray(value)) {
    fields = value.length;
    for (let index = 0; index < value.length && fields <= mostFields; index++) {
      const inner: unknown = value[index];
      if (typeof inner === 'object' && inner !== null) fields += fieldsIn(inner, depth + 1);
    }
    return fields;
  }
  for (const key in value) {
    fields += 1;
    const inner: unknown = (value as Members)[key];
    if (typeof inner === 'object' && inner !== null) fields += fieldsIn(inner, depth + 1);
    if (fields > mostFields) return fields;
  }
  return fields;
}

function areAscending(tags: readonly string[]): boolean {
  for (let index = 1; index < tags.length; index++) {
    if ((tags[index - 1] as string) >= (tags[index] as string)) return false;
  }
  return true;
}
