import { show } from '#src/fields/field.ts';

/** An object as JSON gives it. Only names that no prototype has are read from it. */
export type Members = Readonly<Record<string, unknown>>;

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of this name (given in lower case), else the first that differs only in letter case: some send `Rule`. */
export function member(object: Members, name: string): unknown {
  const value = object[name];
  if (value !== undefined) return value;
  for (const key in object) if (key.length === name.length && key.toLowerCase() === name) return object[key];
  return undefined;
}

/** A text that says something: not empty, and not Falco's mark of a missing value. */
export function saidText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '' || value === '<NA>') return undefined;
  return printable.test(value) ? value : value.replace(harmful, '\ufffd');
}

/** The name of a namespace, a pod, a workload; undefined for what Kubernetes would not take as one. */
export function kubernetesName(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 253 || value === '') return undefined;
  return dnsName.test(value) ? value : undefined;
}

/** The UID of a pod: a UUID, or 32 hex digits for a static pod. */
export function podUid(value: unknown): string | undefined {
  return typeof value === 'string' && uid.test(value) ? value : undefined;
}

/** What came instead, for a message: texts are quoted on one line, without anything a terminal would obey. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return show(value.slice(0, 80).replace(harmful, '\ufffd'));
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : String(value);
}

const printable = /^[\x20-\x7e]*$/;
/** Control characters, lone surrogates, line separators, and what turns the direction of text. */
const harmful = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const dnsName = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/;
const uid = /^[0-9A-Za-z-]{1,64}$/;
