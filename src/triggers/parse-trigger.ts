import { Failure } from '#src/failure.ts';
import { show } from '#src/fields/field.ts';
import { nearest } from '#src/fields/suggestion.ts';
import { falcoSchema } from '#src/triggers/falco-schema.ts';
import { readFalcoTrigger } from '#src/triggers/falco-trigger.ts';
import { readMetadata } from '#src/triggers/metadata.ts';
import { nameMetric } from '#src/triggers/metric-name.ts';
import { threshold } from '#src/triggers/shared-fields.ts';
import type { SourceMetadata } from '#src/triggers/source-metadata.ts';
import { sysdigSchema } from '#src/triggers/sysdig-schema.ts';
import { readSysdigTrigger } from '#src/triggers/sysdig-trigger.ts';
import type { Trigger, TriggerDefaults } from '#src/triggers/trigger.ts';

/** A ScaledObject as KEDA sends it with every call. */
export interface ScaledObjectRef {
  readonly name: string;
  readonly namespace: string;
  readonly scalerMetadata: Readonly<Record<string, string>>;
}

/**
 * - `valid`: everything holds.
 * - `refused`: the metadata is wrong, yet source and threshold can be read, so `GetMetricSpec` still answers (`spec`)
 *   and the failure is told by `GetMetrics` and `IsActive`, where KEDA shows it to the user.
 * - `unreadable`: not even that; `GetMetricSpec` must refuse too.
 */
export type ParsedTrigger =
  | { readonly kind: 'valid'; readonly trigger: Trigger }
  | {
      readonly kind: 'refused';
      readonly spec: { metricName: string; threshold: number };
      readonly failure: Failure;
    }
  | { readonly kind: 'unreadable'; readonly failure: Failure };

const largestMetadata = 64 * 1024;
const mostUnknownKeys = 10;
const plainKey = /^[A-Za-z0-9_.-]{1,60}$/;

/** One line for each source: its keys, and who reads its triggers. */
const readers: Readonly<Record<Trigger['source'], Reader>> = {
  sysdig: { keys: Object.keys(sysdigSchema.shape), read: readSysdigTrigger },
  falco: { keys: Object.keys(falcoSchema.shape), read: readFalcoTrigger },
};

interface Reader {
  readonly keys: readonly string[];
  readonly read: (metadata: SourceMetadata) => Trigger | string[];
}

/**
 * A trigger's metadata, validated: all problems at once, each with its key, what was expected and what came.
 *
 * KEDA hides the text of a failing `GetMetricSpec` and fails the ScaledObject's other triggers with it (keda#5914), so
 * wrong metadata is `refused`, which still has a spec, wherever source and threshold can be read.
 */
export function parseTrigger(ref: ScaledObjectRef, defaults: TriggerDefaults): ParsedTrigger {
  const { values, problems: keyProblems } = readMetadata(ref.scalerMetadata);
  const metricName = nameMetric(values);
  const source = values.get('source')?.trim();
  const refuse = (problems: readonly string[]) => refusal(ref, { values, metricName, problems });

  const size = sizeOf(ref.scalerMetadata);
  if (size > largestMetadata) {
    return refuse([`metadata: expected at most 64 KiB, got ${Math.ceil(size / 1024)} KiB`]);
  }
  if (source !== 'sysdig' && source !== 'falco') {
    return refuse([`source: expected sysdig or falco, got ${show(source)}`, ...thresholdProblems(values)]);
  }
  const problems = [...keyProblems, ...unknownKeys(values, source)];
  const scaledObject = { namespace: ref.namespace, name: ref.name };
  const read = readers[source].read({ values, scaledObject, metricName, defaults });
  if (Array.isArray(read)) problems.push(...read);
  if (Array.isArray(read) || problems.length > 0) return refuse(problems);
  return { kind: 'valid', trigger: read };
}

interface Refused {
  values: ReadonlyMap<string, string>;
  metricName: string;
  problems: readonly string[];
}

function refusal(ref: ScaledObjectRef, { values, metricName, problems }: Refused): ParsedTrigger {
  const failure = new Failure('invalid', `trigger of ${ref.namespace}/${ref.name}: ${problems.join('; ')}`);
  const source = values.get('source')?.trim() ?? '';
  // Where the replicas themselves are the metric, its target may be left out.
  const target = threshold.safeParse(values.get('threshold') ?? (source === 'falco' ? '1' : undefined));
  if (!['sysdig', 'falco'].includes(source) || !target.success) return { kind: 'unreadable', failure };
  return { kind: 'refused', spec: { metricName, threshold: target.data }, failure };
}

function thresholdProblems(values: ReadonlyMap<string, string>): string[] {
  return (threshold.safeParse(values.get('threshold')).error?.issues ?? []).map(
    ({ message }) => `threshold: ${message}`,
  );
}

function unknownKeys(values: ReadonlyMap<string, string>, source: Trigger['source']): string[] {
  const { keys } = readers[source];
  const other = source === 'sysdig' ? 'falco' : 'sysdig';
  const unknown = [...values.keys()].filter((key) => !keys.includes(key)).sort();
  const problems = unknown.slice(0, mostUnknownKeys).map((key) => {
    const name = plainKey.test(key) ? key : show(key);
    if (readers[other].keys.includes(key))
      return `${name}: goes with source: ${other}, got source: ${source}`;
    const meant = nearest(key, [...keys, 'targetValue']);
    return `${name}: unknown key${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  });
  if (unknown.length > problems.length)
    problems.push(`and ${unknown.length - problems.length} more unknown keys`);
  if (problems.some((problem) => problem.endsWith('key'))) problems.push(`the keys are ${keys.join(', ')}`);
  return problems;
}

function sizeOf(metadata: Readonly<Record<string, string>>): number {
  return Object.entries(metadata).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
}
