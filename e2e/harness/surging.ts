import type { Case } from '#e2e/harness/case.ts';
import { type ScaledObjectOptions, scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';
import type { ScalerProcess } from '#test/harness/scaler-process.ts';

/** A trigger on attacks that asks for a surge. */
export const infections = {
  source: 'falco',
  metric: 'infections',
  threshold: '1',
  window: '1m',
  surge: 'true',
};

/** A workload of two, scaled on infections alone. */
export async function twoRunning(
  story: Case,
  scaler: ScalerProcess,
  name: string,
  options: Partial<ScaledObjectOptions> = {},
  metadata: Readonly<Record<string, string>> = infections,
): Promise<void> {
  const triggers = [trigger(scaler.grpc, metadata, { type: 'external-push' })];
  await story.apply(
    workload(name, { replicas: 2 }),
    scaledObject(name, { triggers, min: 2, max: 50, ...options }),
  );
  await story.untilReady(name);
  await story.readyPods(name, 2);
  // The HPA counts from its first sync on.
  await story.until('the HPA has seen the value', async () => {
    const hpa = await story.get('HorizontalPodAutoscaler', `keda-hpa-${name}`, 'autoscaling/v2');
    return hpa?.['status']?.currentMetrics?.length > 0;
  });
}

/** So many pods that were infected, and are gone. */
export async function infect(
  story: Case,
  scaler: ScalerProcess,
  name: string,
  from: number,
  to: number,
): Promise<void> {
  const letters = 'bcdfghjklm';
  const suffix = (n: number) => `x2x${letters[Math.floor(n / 10) % 10]}${letters[n % 10]}`;
  await Promise.all(
    Array.from({ length: to - from }, (_, n) =>
      story.alert(scaler, `${name}-7d9f8b6c5d-${suffix(from + n)}`),
    ),
  );
}
