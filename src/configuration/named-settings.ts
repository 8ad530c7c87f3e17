import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { type Flat, flatten, isTree, type Tree } from '#src/configuration/setting-tree.ts';
import { environmentName } from '#src/configuration/settings.ts';
import { show } from '#src/fields/field.ts';
import { nearest } from '#src/fields/suggestion.ts';

/** The name of the one whose settings stand without a name. */
export const unnamed = 'default';

/** Settings that may be given once without a name and often with one: accounts, credentials. */
export interface Family<T> {
  readonly schema: z.ZodType<T> & { shape: Record<string, z.ZodType> };
  /** Where the settings of the unnamed one stand: `sysdig.`. */
  readonly prefix: string;
  /** Where the named ones stand: `accounts`; in the environment that is ACCOUNTS, with YAML in it. */
  readonly path: string;
}

export interface Given {
  readonly flat: Flat;
  /** What stands at the family's path: a tree, or YAML from the environment. */
  readonly named: unknown;
  readonly problems: string[];
}

/** One of a family, with the prefix that its problems are told under. */
export interface Member<T> {
  readonly name: string;
  readonly prefix: string;
  readonly settings: T;
}

/** Every member that can be read; what cannot is told in `problems`. */
export function readFamily<T>(family: Family<T>, { flat, named, problems }: Given): Member<T>[] {
  const members: Member<T>[] = [];
  const take = (name: string, prefix: string, fields: Flat) => {
    const settings = readFields(family.schema, { flat: fields, prefix, problems });
    if (settings !== undefined) members.push({ name, prefix, settings });
  };
  const withoutName = new Map(
    Object.keys(family.schema.shape).flatMap((key): [string, string][] => {
      const value = flat.get(family.prefix + key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
  if (withoutName.size > 0) take(unnamed, family.prefix, withoutName);
  for (const [name, tree] of Object.entries(treeOf(family.path, named, problems))) {
    const prefix = `${family.path}.${name}.`;
    if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name) || name === unnamed || !isTree(tree)) {
      problems.push(
        `${family.path}: expected names such as team-a (not ${unnamed}), each with its settings, got ${show(name)}`,
      );
      continue;
    }
    const fields = flatten(tree);
    problems.push(...unknownPaths(fields, Object.keys(family.schema.shape)).map((text) => prefix + text));
    take(name, prefix, fields);
  }
  return members;
}

/** Reads one schema's settings; every problem is told with its path and, where there is one, its variable. */
export function readFields<T>(
  schema: z.ZodType<T>,
  { flat, prefix, problems }: { flat: Flat; prefix: string; problems: string[] },
): T | undefined {
  const parsed = schema.safeParse(Object.fromEntries(flat));
  for (const issue of parsed.error?.issues ?? []) {
    const path = prefix + issue.path.join('.');
    const isNamed = /^(?:accounts|ingest\.credentials)\./.test(prefix);
    problems.push(`${path}${isNamed ? '' : ` (${environmentName(path)})`}: ${issue.message}`);
  }
  return parsed.data;
}

export function unknownPaths(flat: Flat, known: readonly string[]): string[] {
  return [...flat.keys()]
    .filter((path) => !known.includes(path))
    .map((path) => {
      const meant = nearest(path, known);
      const hint =
        meant === undefined ? 'see the table of settings in docs/configuration.md' : `did you mean ${meant}?`;
      return `${path}: unknown setting; ${hint}`;
    });
}

function treeOf(path: string, named: unknown, problems: string[]): Tree {
  if (named === undefined || named === null) return {};
  try {
    const tree: unknown = typeof named === 'string' ? parseYaml(named) : named;
    if (isTree(tree)) return tree;
  } catch {
    // Told below, without the parser's excerpt.
  }
  problems.push(
    `${path} (${environmentName(path)}): expected a YAML mapping of names to their settings, got something else`,
  );
  return {};
}
