import { parse as parseYaml } from 'yaml';
import { show } from '#src/fields/field.ts';

export type Tree = Readonly<Record<string, unknown>>;
/** Settings by their dotted path, each as the text that the environment would carry. */
export type Flat = Map<string, string>;

/** The YAML file at `path`, or an empty tree with the problem told. */
export function readTree(
  path: string | undefined,
  readText: (path: string) => string,
  problems: string[],
): Tree {
  if (path === undefined || path === '') return {};
  try {
    const tree: unknown = parseYaml(readText(path)) ?? {};
    if (isTree(tree)) return tree;
    problems.push(`${path}: expected a YAML mapping of settings, got ${show(String(tree))}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    problems.push(`CONFIG_FILE ${path}: expected readable YAML, got: ${reason}`);
  }
  return {};
}

/** `{grpc: {address: a}}` as `grpc.address`; what stands at the paths of `except` is left out. */
export function flatten(tree: Tree, except: readonly string[] = []): Flat {
  const into: Flat = new Map();
  flattenInto(into, { tree, prefix: '', except });
  return into;
}

/** What stands at a dotted path. */
export function at(tree: Tree, path: string): unknown {
  let found: unknown = tree;
  for (const key of path.split('.')) found = isTree(found) ? found[key] : undefined;
  return found;
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function flattenInto(
  into: Flat,
  { tree, prefix, except }: { tree: Tree; prefix: string; except: readonly string[] },
): void {
  for (const [key, value] of Object.entries(tree)) {
    const path = prefix + key;
    if (except.includes(path)) continue;
    if (isTree(value)) flattenInto(into, { tree: value, prefix: `${path}.`, except });
    else if (Array.isArray(value)) into.set(path, value.join(','));
    else if (value !== null && value !== undefined) into.set(path, String(value));
  }
}
