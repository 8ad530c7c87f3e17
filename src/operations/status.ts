import type { Readings } from '#src/operations/metrics.ts';

/** Where one trigger stands; times are epoch ms, and what is not known is undefined. */
export interface TriggerState {
  readonly at: number | undefined;
  readonly origin: string | undefined;
  readonly askedAt: number | undefined;
  readonly source: string | undefined;
  readonly active: boolean | undefined;
}

/** A trigger that KEDA has not asked for so long is gone: its age says nothing any more. */
const livesForMs = 10 * 60_000;

/** The gauges that are read from where the triggers stand. */
export function triggerReadings(
  states: () => readonly TriggerState[],
  now: () => number,
): Pick<Readings, 'oldestAnswerSeconds' | 'triggersOnLastValue' | 'activeAttackTriggers'> {
  const living = () =>
    states().filter(({ askedAt }) => askedAt !== undefined && now() - askedAt < livesForMs);
  return {
    oldestAnswerSeconds() {
      const times = living().flatMap(({ at }) => at ?? []);
      return times.length === 0
        ? undefined
        : (now() - times.reduce((oldest, at) => Math.min(oldest, at))) / 1000;
    },
    triggersOnLastValue: () => living().filter(({ origin }) => origin === 'last-value').length,
    activeAttackTriggers: () => living().filter(({ source, active }) => source === 'falco' && active).length,
  };
}

/** The same for people: ages in seconds instead of epoch ms, times as ISO texts. */
export function describeTrigger(
  state: TriggerState & { readonly lastErrorAt: number | undefined },
  now: number,
): object {
  const { at, askedAt, lastErrorAt, ...rest } = state;
  return {
    ...rest,
    ageSeconds: at === undefined ? undefined : (now - at) / 1000,
    askedAt: iso(askedAt),
    lastErrorAt: iso(lastErrorAt),
  };
}

function iso(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}
