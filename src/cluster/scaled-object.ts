import type { V1ObjectMeta } from '@kubernetes/client-node';
import type { Reference } from '#src/cluster/reference.ts';

/** One trigger as the ScaledObject carries it. */
export interface CarriedTrigger {
  readonly type: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Undefined: AverageValue. */
  readonly metricType: string | undefined;
}

/** A ScaledObject, or a ScaledJob: what anybody here needs of it. */
export interface ScaledObject {
  readonly kind: 'ScaledObject' | 'ScaledJob';
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** What is scaled; a ScaledJob is that itself. */
  readonly target: Reference;
  readonly maxReplicas: number | undefined;
  /** The annotation that pauses it, or its scale-out. */
  readonly pausedBy: string | undefined;
  readonly triggers: readonly CarriedTrigger[];
  readonly hasScalingModifiers: boolean;
  /** The operator limits how fast it scales out. */
  readonly limitsScaleUp: boolean;
  /** As a share: 0.1 is KEDA's and the HPA's default. */
  readonly scaleUpTolerance: number;
}

export interface RawScaledObject {
  apiVersion?: string;
  kind?: string;
  metadata?: V1ObjectMeta;
  spec?: {
    scaleTargetRef?: { apiVersion?: string; kind?: string; name?: string };
    maxReplicaCount?: number;
    triggers?: { type?: string; metadata?: Record<string, string>; metricType?: string }[];
    jobTargetRef?: unknown;
    advanced?: {
      scalingModifiers?: { formula?: string };
      horizontalPodAutoscalerConfig?: { behavior?: { scaleUp?: Record<string, unknown> } };
    };
  };
  status?: unknown;
}

const externalTypes = new Set(['external', 'external-push']);
const annotation = 'autoscaling.keda.sh/';

export function isExternal({ type }: CarriedTrigger): boolean {
  return externalTypes.has(type);
}

export function scaledObject(raw: RawScaledObject, kind: ScaledObject['kind']): ScaledObject {
  const { apiVersion = 'keda.sh/v1alpha1', metadata = {}, spec = {} } = raw;
  const name = metadata.name ?? '';
  const { scaleTargetRef, advanced } = spec;
  const scaleUp = advanced?.horizontalPodAutoscalerConfig?.behavior?.scaleUp;
  return {
    kind,
    apiVersion,
    namespace: metadata.namespace ?? '',
    name,
    uid: metadata.uid ?? '',
    target:
      kind === 'ScaledJob'
        ? { apiVersion, kind, name }
        : {
            apiVersion: scaleTargetRef?.apiVersion || 'apps/v1',
            kind: scaleTargetRef?.kind || 'Deployment',
            name: scaleTargetRef?.name ?? name,
          },
    maxReplicas: spec.maxReplicaCount,
    pausedBy: pausedBy(metadata.annotations ?? {}),
    triggers: (spec.triggers ?? []).map(({ type = '', metadata: given = {}, metricType }) => ({
      type,
      metadata: given,
      metricType: metricType || undefined,
    })),
    hasScalingModifiers: (advanced?.scalingModifiers?.formula ?? '') !== '',
    limitsScaleUp: Object.keys(scaleUp ?? {}).some((key) => key !== 'tolerance'),
    scaleUpTolerance: toleranceOf(scaleUp?.['tolerance']) ?? 0.1,
  };
}

/** In place: what makes it large, and nobody reads. */
export function trimScaledObject(raw: RawScaledObject): void {
  delete raw.status;
  delete raw.metadata?.managedFields;
  delete raw.metadata?.annotations?.['kubectl.kubernetes.io/last-applied-configuration'];
  delete raw.spec?.jobTargetRef;
}

/** A value that is no boolean pauses too, as KEDA reads it. */
function pausedBy(annotations: Readonly<Record<string, string>>): string | undefined {
  if (annotations[`${annotation}paused-replicas`] !== undefined) return `${annotation}paused-replicas`;
  return ['paused', 'paused-scale-out']
    .map((name) => annotation + name)
    .find((name) => annotations[name] !== undefined && !/^(?:0|f|false)$/i.test(annotations[name]));
}

/** A Kubernetes quantity that is a share: `0.05`, `50m`, `5e-2`. */
function toleranceOf(quantity: unknown): number | undefined {
  if (typeof quantity !== 'string' && typeof quantity !== 'number') return undefined;
  const [, digits = '', milli] = /^([0-9.e-]+)(m?)$/i.exec(String(quantity)) ?? [];
  const value = digits === '' ? Number.NaN : Number(digits) * (milli ? 0.001 : 1);
  return value >= 0 ? value : undefined;
}
