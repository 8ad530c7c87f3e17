import type { Clock } from '#src/clock.ts';
import type { AskedTrigger } from '#src/scaler/asked-trigger.ts';
import { OneSlot } from '#src/scaler/one-slot.ts';
import type { WireSpec } from '#src/scaler/wire.ts';

export interface SpecStream {
  readonly asked: AskedTrigger;
  readonly clock: Clock;
  /** The spec as GetMetricSpec answers it: KEDA falls back to that, so both must agree. */
  readonly spec: () => WireSpec;
  readonly write: (spec: WireSpec, written: () => void) => void;
}

/**
 * Sends the current spec, then each change of its target, until `signal` aborts. Every message costs KEDA a reconcile,
 * so nothing is sent twice. The spec of a refused trigger is sent once; it cannot change.
 */
export function streamSpec({ asked, clock, spec, write }: SpecStream, signal: AbortSignal): void {
  let lastSent: number | undefined;
  const current = () => {
    const now = attempt(spec);
    if (now === undefined || now.targetSizeFloat === lastSent) return undefined;
    lastSent = now.targetSizeFloat;
    return now;
  };
  const slot = new OneSlot<WireSpec>({ clock, write, current }, signal);
  slot.offer();
  if (asked.parsed.kind !== 'valid') return;
  asked.source?.watchTarget(asked.parsed.trigger, () => slot.offer(), signal);
}

/** A target that cannot be told is no change of it; GetMetricSpec reports why. */
function attempt(spec: () => WireSpec): WireSpec | undefined {
  try {
    return spec();
  } catch {
    return undefined;
  }
}
