import type { RawObject } from '#e2e/control-plane/raw-api.ts';
import type { Case } from '#e2e/harness/case.ts';

/** The HPA that KEDA made for a ScaledObject; undefined while there is none. */
export function hpaOf(story: Case, scaledObject: string): Promise<RawObject | undefined> {
  return story.get('HorizontalPodAutoscaler', `keda-hpa-${scaledObject}`, 'autoscaling/v2');
}

/** The targets of its metrics, in the triggers' order. */
export async function targetsOf(story: Case, scaledObject: string): Promise<number[]> {
  const metrics: ExternalMetric[] = (await hpaOf(story, scaledObject))?.['spec']?.metrics ?? [];
  return metrics.map(({ external: { target } }) => quantity(target.averageValue ?? target.value));
}

/** Once the HPA has synced with a number for each of its metrics. */
export async function untilMeasured(story: Case, scaledObject: string): Promise<void> {
  await story.until(`the HPA of ${scaledObject} has its numbers`, async () => {
    const hpa = await hpaOf(story, scaledObject);
    const measured: Partial<ExternalMetric>[] = hpa?.['status']?.currentMetrics ?? [];
    const wanted = hpa?.['spec']?.metrics?.length ?? Number.POSITIVE_INFINITY;
    return measured.filter(({ external }) => external !== undefined).length >= wanted;
  });
}

/** Since a time, epoch ms: every number of replicas that stood, one after the other. */
export function replicasSince(story: Case, name: string, at: number): number[] {
  return story.replicas.since(name, at).map(({ replicas }) => replicas);
}

interface ExternalMetric {
  readonly external: { readonly target: { readonly averageValue?: string; readonly value?: string } };
}

/** Kubernetes writes 6.111 as 6111m. */
function quantity(text = ''): number {
  return text.endsWith('m') ? Number(text.slice(0, -1)) / 1000 : Number(text);
}
