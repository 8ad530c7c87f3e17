import { createHash } from 'node:crypto';

/** The keys that say what is measured. Thresholds and tuning are left out, so that changing them keeps the name. */
const identity = [
  'source',
  'query',
  'metricName',
  'metric',
  'workload',
  'workloadType',
  'service',
  'namespace',
  'cluster',
  'filter',
  'account',
  'api',
  'timeAggregation',
  'groupAggregation',
  'queryAggregator',
  'window',
  'rules',
  'tags',
  'sources',
  'minimumPriority',
] as const;

const longestSlug = 36;

/**
 * The metric's name in the HPA, from the metadata as written: `sysdig-net.http.request.count-1f0c9a7e2b`. A part that
 * people recognise, and a digest of everything that says what is measured.
 *
 * Frozen: HPAs in the field carry these names, so every release must answer the same name for the same metadata. Only
 * `[A-Za-z0-9._-]`, at most 63 characters (the HPA refuses `/` and `%`).
 */
export function nameMetric(metadata: ReadonlyMap<string, string>): string {
  const given = identity
    .map((key) => [key, metadata.get(key)?.trim()])
    .filter(([, value]) => value !== undefined);
  const digest = createHash('sha256').update(JSON.stringify(given)).digest('hex').slice(0, 10);
  const said = metadata.get('metricName') ?? metadata.get('metric') ?? metadata.get('query') ?? '';
  return [metadata.get('source')?.trim(), slug(said), digest].filter(Boolean).join('-');
}

function slug(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._]+/g, '-')
    .slice(0, longestSlug)
    .replace(/^[-.]+|[-.]+$/g, '');
}
