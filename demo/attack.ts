import { setTimeout as pause } from 'node:timers/promises';
import { falcoAlert } from '#test/harness/falco-alert.ts';
import type { KedaClient } from '#test/harness/keda-client.ts';
import type { ScaledObject } from './scaled-objects.ts';

export interface Attack {
  readonly client: KedaClient;
  readonly target: ScaledObject;
  /** Where alerts are posted. */
  readonly ingest: string;
  readonly say: (line: string) => void;
}

const betweenAttacksMs = 150_000;
const pods = ['b4x7z', 'd9k2m', 'h6p8r'];

/** Attacks the workload every few minutes: Falco's alerts are posted, and what is pushed is told as it comes, until `signal` aborts. */
export async function attackAgainAndAgain(attack: Attack, signal: AbortSignal): Promise<void> {
  const watch = watchPushes(attack, signal);
  await pause(8_000, undefined, { signal }).catch(() => {});
  while (!signal.aborted) {
    watch.begin();
    for (const [index, pod] of pods.entries()) {
      await post(attack, `${attack.target.name}-7d9f8b6c5d-${pod}`, index === 0);
      await pause(1_500, undefined, { signal }).catch(() => {});
    }
    await pause(betweenAttacksMs, undefined, { signal }).catch(() => {});
  }
}

async function post({ ingest, target, say }: Attack, pod: string, isFirst: boolean): Promise<void> {
  if (isFirst) say(`an attack on ${target.namespace}/${target.name} begins: Falco reports ${pod}`);
  const alert = falcoAlert({ namespace: target.namespace, pod });
  const { status } = await fetch(`${ingest}/ingest/falco`, { method: 'POST', body: JSON.stringify(alert) });
  if (status !== 204) say(`the alert was refused with ${status}`);
}

/** Prints what arrives on the streams that KEDA would hold, with the time since the attack began. */
function watchPushes({ client, target, say }: Attack, signal: AbortSignal): { begin(): void } {
  let begunAt = 0;
  const sinceAlert = () => (performance.now() - begunAt).toFixed(1);
  for (const { metadata } of target.triggers) {
    const ref = { namespace: target.namespace, name: target.name, scalerMetadata: metadata };
    const activity = client.streamIsActive(ref);
    const specs = client.streamMetricSpec(ref);
    signal.addEventListener('abort', () => [activity, specs].map((stream) => stream.cancel()), {
      once: true,
    });
    if (metadata['source'] === 'falco') {
      activity.onMessage(
        () => begunAt > 0 && say(`pushed: active, ${sinceAlert()} ms after the first alert`),
      );
    }
    if (metadata['thresholdUnderAttack'] !== undefined) {
      specs.onMessage(({ metricSpecs }) => {
        if (begunAt > 0)
          say(
            `pushed: the target is ${metricSpecs[0]?.targetSizeFloat}, ${sinceAlert()} ms after the first alert`,
          );
      });
    }
  }
  return {
    begin() {
      begunAt = performance.now();
    },
  };
}
