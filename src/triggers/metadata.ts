/** The keys that belong to KEDA and arrive with ours. */
const kedaKeys = new Set(['scalerAddress', 'enableTLS', 'unsafeSsl']);
const aliases: ReadonlyMap<string, string> = new Map([['targetValue', 'threshold']]);
const fromEnv = 'FromEnv';

/** Metadata with every key under its one name, and what was wrong with the keys themselves. */
export interface Metadata {
  readonly values: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
}

/**
 * Brings each key to its one name: `KFromEnv` arrives with the value that KEDA resolved and is read as `K`,
 * `targetValue` is `threshold`, and KEDA's own keys are dropped. Two spellings of one key are a problem.
 */
export function readMetadata(raw: Readonly<Record<string, string>>): Metadata {
  const values = new Map<string, string>();
  const spelled = new Map<string, string>();
  const problems: string[] = [];
  for (const [written, value] of Object.entries(raw)) {
    const plain = written.endsWith(fromEnv) ? written.slice(0, -fromEnv.length) : written;
    if (kedaKeys.has(plain)) continue;
    const key = aliases.get(plain) ?? plain;
    const other = spelled.get(key);
    if (other !== undefined) {
      problems.push(`${key}: expected one of ${[other, written].sort().join(' and ')}, got both; remove one`);
      // Whatever order the map came in, the same one is read.
      if (other < written) continue;
    }
    spelled.set(key, written);
    values.set(key, value);
  }
  return { values, problems };
}
