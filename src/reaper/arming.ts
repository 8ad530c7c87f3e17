import type { Subject } from '#src/journal/entry.ts';
import { Disarmer } from '#src/reaper/disarmer.ts';
import type { Ledger } from '#src/reaper/ledger.ts';
import type { ReapReports } from '#src/reaper/reap-reports.ts';

export interface ArmingParts {
  readonly ledger: Pick<Ledger, 'disarmed'>;
  readonly reports: Pick<ReapReports, 'disarmed' | 'rearmed'>;
  readonly write: (subject: Subject) => void;
  /** Undefined: only when somebody says so. */
  readonly rearmAfterMs: number | undefined;
}

/** The journal forgets: what still holds is written down again this often. */
const repeatMs = 3_600_000;

/** Which rules count. What is disarmed stays so over restarts, until somebody arms it again. */
export class Arming {
  readonly #parts: ArmingParts;
  readonly #disarmer = new Disarmer();
  readonly #writtenAt = new Map<string, number>();

  constructor(parts: ArmingParts) {
    this.#parts = parts;
  }

  isDisarmed(rule: string): boolean {
    return this.#parts.ledger.disarmed.has(rule);
  }

  /** A pod of a workload is about to be taken away because of this rule. */
  strike(rule: string, pod: string, workload: string, now: number): void {
    const reason = this.#disarmer.strike(rule, pod, workload, now);
    if (reason === undefined || this.isDisarmed(rule)) return;
    this.#writtenAt.set(rule, now);
    this.#parts.write({ kind: 'arming', rule, isArmed: false, reason });
    this.#parts.reports.disarmed(rule, reason);
  }

  /** False if the rule was not disarmed. */
  rearm(rule: string, reason: string): boolean {
    if (!this.isDisarmed(rule)) return false;
    this.#disarmer.forget(rule);
    this.#writtenAt.delete(rule);
    this.#parts.write({ kind: 'arming', rule, isArmed: true, reason });
    this.#parts.reports.rearmed(rule, reason);
    return true;
  }

  upkeep(now: number): void {
    const { ledger, write, rearmAfterMs } = this.#parts;
    for (const [rule, { since, reason }] of [...ledger.disarmed]) {
      if (rearmAfterMs !== undefined && now - since >= rearmAfterMs) {
        this.rearm(rule, 'its time is over');
      } else if (now - (this.#writtenAt.get(rule) ?? since) >= repeatMs) {
        this.#writtenAt.set(rule, now);
        write({ kind: 'arming', rule, isArmed: false, reason });
      }
    }
  }
}
