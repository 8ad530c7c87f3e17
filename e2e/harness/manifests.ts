/** Plain Kubernetes objects, as a user would write them. */

export interface WorkloadOptions {
  readonly replicas?: number;
  readonly kind?: 'Deployment' | 'StatefulSet';
  readonly labels?: Readonly<Record<string, string>>;
  /** On its pods. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly strategy?: object;
}

export function workload(
  name: string,
  { replicas = 1, kind = 'Deployment', labels = {}, annotations = {}, strategy }: WorkloadOptions = {},
) {
  const app = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: app },
      ...(kind === 'StatefulSet' ? { serviceName: name, podManagementPolicy: 'Parallel' } : {}),
      ...(strategy && { strategy }),
      template: {
        metadata: { labels: app, annotations },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: 'app' }] },
      },
    },
  };
}

export interface TriggerOptions {
  readonly type?: 'external' | 'external-push';
  readonly name?: string;
  readonly metricType?: string;
  readonly authentication?: string;
}

/** `address` of the scaler, `127.0.0.1:6000`. */
export function trigger(
  address: string,
  metadata: Readonly<Record<string, string>>,
  { type = 'external', name, metricType, authentication }: TriggerOptions = {},
) {
  return {
    type,
    ...(name && { name }),
    ...(metricType && { metricType }),
    metadata: { scalerAddress: address, ...metadata },
    ...(authentication && { authenticationRef: { name: authentication } }),
  };
}

export interface ScaledObjectOptions {
  readonly target?: { readonly name: string; readonly kind?: string; readonly apiVersion?: string };
  readonly triggers: readonly object[];
  readonly min?: number;
  /** null: not set. */
  readonly max?: number | null;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
}

/** Looked at often: a test waits for what a user would not. */
export function scaledObject(
  name: string,
  { target = { name }, triggers, min = 1, max = 10, annotations = {}, spec = {} }: ScaledObjectOptions,
) {
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name, annotations },
    spec: {
      scaleTargetRef: target,
      pollingInterval: 5,
      cooldownPeriod: 5,
      minReplicaCount: min,
      ...(max === null ? {} : { maxReplicaCount: max }),
      triggers,
      ...spec,
    },
  };
}

/** The HPA takes replicas away as soon as it may, so that nothing hides what it decides. */
export const eagerScaleDown = {
  advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } } },
};
