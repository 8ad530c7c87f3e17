import { globSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

/** The parts of a ScaledObject that decide what KEDA asks and what an HPA makes of the answer. */
export interface ScaledObject {
  readonly file: string;
  readonly name: string;
  readonly namespace: string;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly triggers: readonly ExternalTrigger[];
}

export interface ExternalTrigger {
  readonly type: 'external' | 'external-push';
  readonly metricType: 'AverageValue' | 'Value';
  readonly metadata: Readonly<Record<string, string>>;
}

interface Manifest {
  kind?: string;
  metadata?: { name?: string; namespace?: string };
  spec?: {
    minReplicaCount?: number;
    maxReplicaCount?: number;
    triggers?: { type?: string; metricType?: string; metadata?: Record<string, unknown> }[];
  };
}

/** Every ScaledObject below `pattern` that has a trigger for an external scaler. Throws on a file that is no YAML. */
export function readScaledObjects(pattern: string): ScaledObject[] {
  return globSync(pattern).sort().flatMap(readFile);
}

function readFile(file: string): ScaledObject[] {
  const documents = parseAllDocuments(readFileSync(file, 'utf8'));
  const broken = documents.flatMap(({ errors }) => errors).at(0);
  if (broken !== undefined) throw new Error(`${file}: expected YAML: ${broken.message}`);
  return documents
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest?.kind === 'ScaledObject')
    .map((manifest) => scaledObject(file, manifest ?? {}))
    .filter(({ triggers }) => triggers.length > 0);
}

/** Defaults are KEDA's. */
function scaledObject(file: string, { metadata, spec }: Manifest): ScaledObject {
  return {
    file,
    name: metadata?.name ?? '',
    namespace: metadata?.namespace ?? 'default',
    minReplicas: spec?.minReplicaCount ?? 0,
    maxReplicas: spec?.maxReplicaCount ?? 100,
    triggers: (spec?.triggers ?? []).filter(isExternal).map(({ type, metricType, metadata: keys }) => ({
      type: type as ExternalTrigger['type'],
      metricType: metricType === 'Value' ? 'Value' : 'AverageValue',
      metadata: Object.fromEntries(Object.entries(keys ?? {}).map(([key, value]) => [key, String(value)])),
    })),
  };
}

function isExternal({ type }: { type?: string }): boolean {
  return type === 'external' || type === 'external-push';
}
