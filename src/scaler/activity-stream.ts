import type { Clock } from '#src/clock.ts';
import type { Followed } from '#src/scaler/asked-trigger.ts';
import { OneSlot } from '#src/scaler/one-slot.ts';
import type { Asker } from '#src/sources/source.ts';

export interface ActivityStream {
  readonly followed: Followed;
  readonly asker: Asker;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Sends one `true`. */
  readonly write: (active: true, written: () => void) => void;
}

/** About KEDA's polling interval: a `true` that KEDA had to drop (keda#8168) is made good by the next one. */
const repeatMs = 30_000;
const jitter = 0.2;

/**
 * Tells of activity until `signal` aborts: the current state if it is true, each change to true at once, and a slow
 * repeat while it lasts. Never a false: KEDA before 2.18 would deactivate what other triggers keep active (keda#6986).
 */
export function streamActivity(stream: ActivityStream, signal: AbortSignal): void {
  const { followed, asker, clock, random } = stream;
  let active = false;
  let stopRepeat: (() => void) | undefined;
  const slot = new OneSlot<true>({ clock, write: stream.write, current: () => active || undefined }, signal);

  const push = () => {
    slot.offer();
    stopRepeat = clock.after(repeatMs * (1 - jitter + 2 * jitter * random()), push);
  };
  signal.addEventListener('abort', () => stopRepeat?.(), { once: true });

  followed.source.watch(
    followed.trigger,
    asker,
    (sample) => {
      if (signal.aborted) return;
      followed.asked.learn(sample);
      const was = active;
      active = sample.active;
      if (was === active) return;
      if (active) push();
      else stopRepeat?.();
    },
    signal,
  );
}
