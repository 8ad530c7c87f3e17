import { hostname } from 'node:os';
import type { Clock } from '#src/clock.ts';
import type { ClusterRoad } from '#src/composition/cluster.ts';
import type { Settings } from '#src/configuration/settings.ts';
import type { Entry, Subject } from '#src/journal/entry.ts';
import type { Journal, JournalObserver } from '#src/journal/journal.ts';
import { openJournal } from '#src/journal/open-journal.ts';
import { Recorder } from '#src/journal/recorder.ts';
import type { Log } from '#src/log.ts';
import { AttackSource } from '#src/sources/attacks/attack-source.ts';
import { type AttackObserver, AttackWindows } from '#src/sources/attacks/attack-windows.ts';
import { UnderAttack } from '#src/sources/attacks/under-attack.ts';
import type { Attacks } from '#src/sources/attacks.ts';

export interface AttackParts {
  readonly settings: Settings;
  readonly road: Pick<ClusterRoad, 'cluster' | 'features' | 'targets' | 'refusalOf'>;
  /** Gives the one object for equal subjects. */
  readonly intern: (subject: Subject) => Subject;
  readonly observers: { readonly journal: JournalObserver; readonly attacks: AttackObserver };
  readonly clock: Clock;
  readonly log: Log;
}

/** Everything between an alert that was received and a trigger of source falco. */
export interface AttackRoad {
  readonly recorder: Recorder;
  readonly windows: AttackWindows;
  readonly source: AttackSource;
  readonly attacks: Attacks;
  readonly journal: Journal;
  /** Rebuilds the windows from the journal, and follows it from then on; `past` gets what there was, `tell` that and all that comes. */
  replay(tell: (entries: readonly Entry[]) => void, past: (entries: readonly Entry[]) => void): Promise<void>;
  close(): Promise<void>;
}

const upkeepMs = 60_000;

export async function openAttacks({
  settings,
  road: { cluster, features, targets, refusalOf },
  intern,
  observers,
  clock,
  log,
}: AttackParts): Promise<AttackRoad> {
  const retentionMs = settings.journalRetention;
  const journal = await openJournal(settings.journal, {
    clock,
    log,
    observer: observers.journal,
    intern,
    retentionMs,
    maxBytes: settings.journalMaxSize,
  });
  const windows = new AttackWindows({ observer: observers.attacks, retentionMs });
  const closing = new AbortController();
  return {
    recorder: new Recorder(journal, { replica: hostname(), epoch: clock.now() }),
    windows,
    source: new AttackSource({
      windows,
      targets,
      podsOf: features.has('workloads')
        ? (workload) => cluster?.workloads.podsOf(workload).all ?? []
        : undefined,
      isReaping: features.has('reaper') && settings['reaper.mode'] === 'on',
      refusalOf,
      completeSince: () => journal.completeSince,
      clock,
      log,
    }),
    attacks: new UnderAttack({ windows, targets, clock }),
    journal,
    async replay(tell, past) {
      const startedAt = performance.now();
      let read = 0;
      let isPast = true;
      const take = (entries: readonly Entry[]) => {
        windows.record(entries, clock.now());
        tell(entries);
        if (!isPast) return;
        read += entries.length;
        past(entries);
      };
      await journal.follow(take, { signal: closing.signal });
      isPast = false;
      const ms = Math.round(performance.now() - startedAt);
      log.info({ entries: read, ms, journal: settings.journal }, 'replayed the journal');
      keepUp({ journal, windows, clock, log }, closing.signal);
    },
    async close() {
      closing.abort();
      await journal.close();
    },
  };
}

/** Once a minute: forgets what is too old, here and on disk. */
function keepUp(
  { journal, windows, clock, log }: Pick<AttackRoad, 'journal' | 'windows'> & { clock: Clock; log: Log },
  signal: AbortSignal,
): void {
  clock.after(upkeepMs, async () => {
    if (signal.aborted) return;
    windows.tidy(clock.now());
    try {
      await journal.compact(clock.now());
    } catch (error) {
      log.warn({ reason: String(error) }, 'the upkeep of the journal failed; it is tried again in a minute');
    }
    keepUp({ journal, windows, clock, log }, signal);
  });
}
