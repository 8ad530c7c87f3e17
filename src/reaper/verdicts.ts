import type { NamedWorkload } from '#src/alerts/alert.ts';
import type { Clock } from '#src/clock.ts';
import type { PodWithOwners } from '#src/cluster/pod-directory.ts';
import { Failure } from '#src/failure.ts';
import type { Entry, Subject } from '#src/journal/entry.ts';
import { floorTo, tickMs } from '#src/journal/resolution.ts';
import type { Log } from '#src/log.ts';
import { changing, passing, type SkipReason } from '#src/reaper/decide-reap.ts';
import type { Docket } from '#src/reaper/docket.ts';
import type { ReapReports } from '#src/reaper/reap-reports.ts';
import type { Suspect } from '#src/reaper/suspect.ts';

export interface VerdictsParts {
  readonly docket: Pick<Docket, 'again' | 'later'>;
  readonly reports: Pick<ReapReports, 'decided'>;
  readonly record: (entries: readonly Entry[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A pod that nothing is done about is looked at again while its alerts go on, but not with each. */
const againMs = 5_000;
const seldomMs = 60_000;

/** Says what was decided, and writes it down. */
export class Verdicts {
  readonly #parts: VerdictsParts;

  constructor(parts: VerdictsParts) {
    this.#parts = parts;
  }

  /** Leaves the pod alone, for now. Answers undefined, for whoever returns it. */
  skip(suspect: Suspect, found: PodWithOwners | undefined, reason: SkipReason, detail?: string): undefined {
    const { docket } = this.#parts;
    void this.#decide(suspect, found, { verdict: 'skip', reason, detail });
    if (passing.has(reason)) docket.later(suspect);
    else docket.again(suspect, changing.has(reason) ? againMs : seldomMs);
    return undefined;
  }

  /** The pod is to be taken away. False if that could not be made durable. */
  reap(suspect: Suspect, found: PodWithOwners, verdict: 'reap' | 'would-reap'): Promise<boolean> {
    return this.#decide(suspect, found, { verdict, reason: 'infected' });
  }

  /** False if it could not be made durable. */
  async write(subject: Subject, at = floorTo(tickMs, this.#parts.clock.now())): Promise<boolean> {
    const { record, log } = this.#parts;
    try {
      await record([{ subject, at, count: 1 }]);
      return true;
    } catch (thrown) {
      // It counts in memory; a journal that fails is told by its own metrics.
      log.warn({ reason: Failure.from(thrown).message }, 'a decision of the reaper is not durable');
      return false;
    }
  }

  async #decide(
    { namespace, pod, uid = '', rule, owners }: Suspect,
    found: PodWithOwners | undefined,
    said: { verdict: 'reap' | 'would-reap' | 'skip'; reason: string; detail?: string | undefined },
  ): Promise<boolean> {
    const { detail, ...decision } = said;
    const about = found === undefined ? { namespace, pod, podUid: uid, owners } : actedOn(found);
    const subject = { kind: 'decision', ...about, rule, ...decision } as const;
    return !this.#parts.reports.decided(subject, detail) || this.write(subject);
  }
}

/** A pod as the journal names it. */
export function actedOn({ pod, owners }: PodWithOwners) {
  const { namespace, name, uid: podUid } = pod;
  return { namespace, pod: name, podUid, owners: owners.map(named) };
}

export function named({ kind, name }: NamedWorkload): NamedWorkload {
  return { kind: kind.toLowerCase(), name };
}
