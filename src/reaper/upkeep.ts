import type { PodActs } from '#src/cluster/pod-acts.ts';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import type { Arming } from '#src/reaper/arming.ts';
import type { Ledger } from '#src/reaper/ledger.ts';
import type { ReapSettings } from '#src/reaper/reap-settings.ts';

export interface UpkeepParts {
  readonly settings: ReapSettings;
  readonly ledger: Ledger;
  readonly arming: Arming;
  readonly acts: Pick<PodActs, 'evict' | 'quarantinedFor'>;
  /** Undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly log: Log;
}

/** Once a minute, on the replica that acts: ends quarantines whose time is over, and arms rules again. Never rejects. */
export async function keepReaperUp(
  { settings, ledger, arming, acts, namespaces = [], log }: UpkeepParts,
  now: number,
): Promise<void> {
  ledger.tidy(now);
  try {
    arming.upkeep(now);
    if (settings.quarantine === undefined) return;
    for (const namespace of namespaces.length > 0 ? namespaces : [undefined]) {
      for (const pod of await acts.quarantinedFor(settings.quarantine.ttlMs, namespace)) {
        await acts.evict(pod, undefined);
        log.info({ namespace: pod.namespace, pod: pod.name }, 'ended the quarantine of a pod');
      }
    }
  } catch (thrown) {
    log.warn(
      { reason: Failure.from(thrown).message },
      'the upkeep of the reaper failed; it is tried again in a minute',
    );
  }
}
