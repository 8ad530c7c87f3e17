import type { KedaClient } from '#test/harness/keda-client.ts';
import type { ExternalTrigger, ScaledObject } from './scaled-objects.ts';

/** What the HPA is built from. */
export interface Spec {
  readonly metricName: string;
  readonly target: number;
}

/** What a poll finds. */
export interface Measurement {
  readonly value: number;
  readonly active: boolean;
}

/** Asks about one trigger as KEDA does. What the scaler refuses is thrown with the scaler's own text. */
export class Poller {
  readonly #client: KedaClient;
  readonly #ref: { name: string; namespace: string; scalerMetadata: Readonly<Record<string, string>> };

  constructor(client: KedaClient, { name, namespace }: ScaledObject, { metadata }: ExternalTrigger) {
    this.#client = client;
    this.#ref = { name, namespace, scalerMetadata: metadata };
  }

  async spec(): Promise<Spec> {
    const { metricSpecs } = await inWords(this.#client.getMetricSpec(this.#ref));
    const [spec] = metricSpecs;
    if (spec === undefined) throw new Error('the scaler answered no spec');
    return {
      metricName: spec.metricName,
      target: spec.targetSizeFloat > 0 ? spec.targetSizeFloat : spec.targetSize,
    };
  }

  async measure({ metricName }: Spec): Promise<Measurement> {
    const { metricValues } = await inWords(this.#client.getMetrics(this.#ref, metricName));
    const [first] = metricValues;
    if (first === undefined) throw new Error('the scaler answered no value');
    return {
      value: first.metricValueFloat > 0 ? first.metricValueFloat : first.metricValue,
      active: await inWords(this.#client.isActive(this.#ref)),
    };
  }
}

async function inWords<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const text = error instanceof Error && 'details' in error ? String(error.details) : String(error);
    throw new Error(text, { cause: error });
  }
}
