import type { ExecutionContext } from 'ava';
import type { RawObject } from '#e2e/control-plane/raw-api.ts';
import { type AlertFields, type Case, openCase } from '#e2e/harness/case.ts';
import { type WorkloadOptions, workload } from '#e2e/harness/manifests.ts';
import type { ScalerProcess } from '#test/harness/scaler-process.ts';

export const rule = 'Drop and execute new binary in container';
export const reaping = { REAPER: 'on', REAPER_RULES: rule };
export const optedIn = { 'external-scaler-sysdig/reap': 'true' };
/** Long enough that whatever is going to happen has happened. */
export const settleMs = 2_000;

export async function withWorkload(
  t: ExecutionContext,
  name: string,
  options: WorkloadOptions = {},
): Promise<Case> {
  const story = await openCase(t, name);
  await story.apply(workload('checkout', { replicas: 3, labels: optedIn, ...options }));
  return story;
}

export function infect(
  story: Case,
  scaler: ScalerProcess,
  pods: readonly RawObject[],
  fields: AlertFields = {},
) {
  return Promise.all(
    pods.map(({ metadata, spec }) =>
      story.alert(scaler, metadata.name, { uid: String(metadata['uid']), host: spec.nodeName, ...fields }),
    ),
  );
}

/** Those of these pods that are there no more, or on their way out. */
export async function lost(story: Case, pods: readonly RawObject[]): Promise<string[]> {
  const there = (await story.pods('checkout')).filter(
    ({ metadata }) => metadata['deletionTimestamp'] === undefined,
  );
  const uids = new Set(there.map(({ metadata }) => metadata['uid']));
  return pods.filter(({ metadata }) => !uids.has(metadata['uid'])).map(({ metadata }) => metadata.name);
}

function decisions(scaler: ScalerProcess, reason: string): number {
  return scaler.lines.filter((line) => line.includes(`"reason":"${reason}"`)).length;
}

export async function skipped(story: Case, scaler: ScalerProcess, reason: string): Promise<void> {
  await story.until(`the reaper leaves a pod alone: ${reason}`, () => decisions(scaler, reason) > 0, 30_000);
}
