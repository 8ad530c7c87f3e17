import { Failure } from '#src/failure.ts';
import type { Trigger } from '#src/triggers/trigger.ts';

/** Throws `not-found`, naming the metric that exists. Case does not count: KEDA compares names without it. */
export function requireName(trigger: Trigger, metricName: string): void {
  if (metricName === trigger.metricName) return;
  if (metricName.toLowerCase() === trigger.metricName.toLowerCase()) return;
  const got = JSON.stringify(metricName.slice(0, 200));
  throw new Failure(
    'not-found',
    `metricName: expected ${JSON.stringify(trigger.metricName)}, the one metric of this trigger, got ${got}; KEDA learns the name from GetMetricSpec`,
  );
}

/** `awaited`: what was still on its way. */
export function tooLate(timeoutMs: number, awaited: string): Failure {
  return new Failure(
    'deadline',
    `no answer within ${timeoutMs / 1000} s: waiting for ${awaited}; the question goes on, and a later call gets its answer`,
  );
}
