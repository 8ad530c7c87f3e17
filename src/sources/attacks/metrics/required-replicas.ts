import { overdueMs } from '#src/journal/entry.ts';
import type { AttackMetric, Measured, Reading } from '#src/sources/attacks/metrics/attack-metric.ts';
import { countInfected } from '#src/sources/attacks/metrics/infected-pods.ts';
import { quantile } from '#src/sources/attacks/metrics/recreation-seconds.ts';
import { surplus } from '#src/sources/attacks/metrics/surplus.ts';

const leastExposureMs = 10_000;
/** Fewer outages say nothing about the slow ones. */
const leastOutages = 3;

/** The replicas that serve the load, and more than the attacker can infect. */
export const requiredReplicas: AttackMetric = {
  measure(reading): Measured {
    const { view, trigger } = reading;
    const { healthyReplicas = 0, confidence = 0.99, maxSurplus } = trigger.surplus ?? {};
    // Also while nothing is infected: whoever may ask must not depend on it.
    const infected = countInfected(reading);
    const recreating = countRecreating(reading);
    const out = infected + recreating;
    if (view.infections === 0) return { value: healthyReplicas + out, inputs: { infected, recreating } };
    const outageMs = expectedOutageMs(reading);
    const exposureMs = exposureOf(reading, outageMs);
    const expected = surplus({
      infections: view.newInfections,
      exposureMs,
      outageMs,
      confidence,
      most: maxSurplus ?? Math.max(5, Math.ceil(2 * healthyReplicas)),
    });
    return {
      value: healthyReplicas + Math.max(expected, out),
      inputs: {
        newInfections: view.newInfections,
        exposureSeconds: exposureMs / 1_000,
        outageSeconds: outageMs / 1_000,
        surplus: expected,
        infected,
        recreating,
      },
    };
  },
};

/** Reaped pods whose replacement is not Ready yet. */
function countRecreating({ view, now }: Reading): number {
  const { recreated } = view;
  return [...view.reapedSince(now - overdueMs).keys()].filter((uid) => !recreated.has(uid)).length;
}

/** The 90th percentile of what was seen; what the trigger assumes until that is enough. */
function expectedOutageMs({ view, trigger }: Reading): number {
  const seen = [...view.recreated.values()]
    .filter(({ outcome }) => outcome !== 'cancelled')
    .map(({ sinceAlertMs }) => sinceAlertMs);
  return seen.length < leastOutages ? trigger.assumedRecreationMs : quantile(seen, 0.9);
}

/** For how long this attack has been infecting, as far as the window sees. */
function exposureOf({ view, trigger, now }: Reading, outageMs: number): number {
  const since = view.firstInfectionAt;
  const lasted = since === undefined ? trigger.windowMs : now - since;
  return Math.min(trigger.windowMs, Math.max(outageMs, leastExposureMs, lasted));
}
