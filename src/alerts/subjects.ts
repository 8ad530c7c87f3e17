import type { AlertSubject, FoundPod, NamedWorkload } from '#src/alerts/alert.ts';

/** What makes one subject differ from another. */
export type SubjectParts = Omit<AlertSubject, 'kind'>;

/** Mostly one: thousands of pods need no array each. */
type Alike = AlertSubject | readonly AlertSubject[];

/** Subjects of pods of one name that are told apart; of more the earliest are made anew when they come again. */
const mostAlike = 64;
const mostTexts = 20_000;

/**
 * One object for one subject, so that whoever records alerts can compare by identity.
 *
 * Candidates are found by the pod's name alone, as longer keys cost more than comparing a few; every part is compared
 * before one is given out, so no text of an attacker's can make two subjects one. Two generations hold between half of `most` and
 * all of it: what is used in the old one moves to the young one. An alert with an identity of its own is counted once,
 * so its subject is not kept.
 */
export class Subjects {
  readonly #mostYoung: number;
  #young = new Map<string, Alike>();
  #old = new Map<string, Alike>();
  #youngSize = 0;
  readonly #texts = new Map<string, string>();
  readonly #tagLists = new Map<string, readonly string[]>();

  constructor(most = 200_000) {
    this.#mostYoung = Math.max(1, Math.floor(most / 2));
  }

  /** The object for these parts; the parts themselves are not kept. */
  intern(parts: SubjectParts): AlertSubject {
    if (parts.id !== undefined) return this.#make(parts);
    const key = parts.pod;
    const alike = this.#young.get(key) ?? this.#rejuvenate(key);
    if (alike === undefined) return this.#keep(key, this.#make(parts), 1);
    if (isSeveral(alike)) {
      for (const known of alike) if (isSame(known, parts)) return known;
    } else if (isSame(alike, parts)) {
      return alike;
    }
    const subject = this.#make(parts);
    const several = isSeveral(alike) ? alike.concat(subject) : [alike, subject];
    const isFull = several.length > mostAlike;
    this.#keep(key, isFull ? several.slice(1) : several, isFull ? 0 : 1);
    return subject;
  }

  #rejuvenate(key: string): Alike | undefined {
    const alike = this.#old.get(key);
    if (alike === undefined) return undefined;
    this.#old.delete(key);
    return this.#keep(key, alike, isSeveral(alike) ? alike.length : 1);
  }

  #keep<A extends Alike>(key: string, alike: A, more: number): A {
    if (this.#youngSize >= this.#mostYoung) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngSize = 0;
    }
    this.#young.set(key, alike);
    this.#youngSize += more;
    return alike;
  }

  /** Thousands of pods raise the same rules: texts that repeat are held once, and not with each body they came in. */
  #make(parts: SubjectParts): AlertSubject {
    const { workload } = parts;
    return Object.freeze({
      kind: 'alert',
      sender: parts.sender,
      rule: this.#shared(parts.rule),
      priority: parts.priority,
      source: this.#shared(parts.source),
      tags: this.#sharedTags(parts.tags),
      namespace: this.#shared(parts.namespace),
      pod: parts.pod,
      podUid: parts.podUid,
      found: parts.found,
      workload:
        workload && Object.freeze({ kind: this.#shared(workload.kind), name: this.#shared(workload.name) }),
      host: parts.host && this.#shared(parts.host),
      cluster: parts.cluster && this.#shared(parts.cluster),
      id: parts.id,
    });
  }

  #shared(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= mostTexts) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }

  #sharedTags(tags: readonly string[]): readonly string[] {
    const key = JSON.stringify(tags);
    const known = this.#tagLists.get(key);
    if (known !== undefined) return known;
    if (this.#tagLists.size >= mostTexts) this.#tagLists.clear();
    const list = Object.freeze(tags.map((tag) => this.#shared(tag)));
    this.#tagLists.set(key, list);
    return list;
  }
}

function isSeveral(alike: Alike): alike is readonly AlertSubject[] {
  return Array.isArray(alike);
}

function isSame(known: AlertSubject, parts: SubjectParts): boolean {
  return (
    known.pod === parts.pod &&
    known.namespace === parts.namespace &&
    known.rule === parts.rule &&
    known.priority === parts.priority &&
    known.source === parts.source &&
    known.sender === parts.sender &&
    known.podUid === parts.podUid &&
    isSameFound(known.found, parts.found) &&
    known.host === parts.host &&
    known.cluster === parts.cluster &&
    areSameTags(known.tags, parts.tags) &&
    isSameWorkload(known.workload, parts.workload)
  );
}

function isSameFound(a: FoundPod | undefined, b: FoundPod | undefined): boolean {
  return a === b || (a?.uid === b?.uid && a?.owners.length === b?.owners.length);
}

function areSameTags(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

function isSameWorkload(a: NamedWorkload | undefined, b: NamedWorkload | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.kind === b.kind && a.name === b.name);
}
