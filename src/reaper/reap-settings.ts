import type { Sender } from '#src/alerts/alert.ts';
import type { Priority } from '#src/alerts/priority.ts';
import type { Settings } from '#src/configuration/settings.ts';

/** What the operator lets the reaper do. */
export interface ReapSettings {
  readonly mode: 'dry-run' | 'on';
  /** Patterns of rule names. */
  readonly rules: readonly string[];
  readonly minimumPriority: Priority;
  readonly senders: readonly Sender[];
  readonly requireNodeMatch: boolean;
  /** Undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly neverNamespaces: readonly string[];
  readonly minAvailable: string;
  readonly maxAlertAgeMs: number;
  readonly periodMs: number;
  readonly maxPerWorkload: number;
  readonly maxPerCluster: number;
  readonly graceSeconds: number | undefined;
  readonly rearmAfterMs: number | undefined;
  readonly quarantine: { readonly maxPerWorkload: number; readonly ttlMs: number } | undefined;
}

/** `home`: the scaler's own namespace. */
export function reapSettings(settings: Settings, home: string, mayQuarantine: boolean): ReapSettings {
  const graceMs = settings['reaper.gracePeriod'];
  return {
    mode: settings['reaper.mode'] === 'on' ? 'on' : 'dry-run',
    rules: settings['reaper.rules'] ?? [],
    minimumPriority: settings['reaper.minimumPriority'],
    senders: settings['reaper.sources'],
    requireNodeMatch: settings['reaper.requireNodeMatch'],
    namespaces: settings['reaper.namespaces'],
    neverNamespaces: [...settings['reaper.neverNamespaces'], home],
    minAvailable: settings['reaper.minAvailable'],
    maxAlertAgeMs: settings['reaper.maxAlertAge'],
    periodMs: settings['reaper.period'],
    maxPerWorkload: settings['reaper.maxPerWorkload'],
    maxPerCluster: settings['reaper.maxPerCluster'],
    graceSeconds: graceMs === undefined ? undefined : Math.round(graceMs / 1_000),
    rearmAfterMs: settings['reaper.rearmAfter'],
    quarantine: mayQuarantine
      ? { maxPerWorkload: settings['quarantine.maxPerWorkload'], ttlMs: settings['quarantine.ttl'] }
      : undefined,
  };
}
