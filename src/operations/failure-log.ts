import type { Clock } from '#src/clock.ts';
import type { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';

interface Trouble {
  readonly kind: string;
  readonly since: number;
  toldAt: number;
  untold: number;
}

const summaryEveryMs = 5 * 60_000;
const mostSubjects = 20_000;
/** An outage fails every trigger: of each event so many are told one by one in a minute, the rest is counted. */
const mostLines = 10;
const lineWindowMs = 60_000;

/**
 * Turns failures into lines an operator can act on: the first of its kind at once, repeats as one summary every 5
 * minutes, another kind at once, and the recovery. KEDA asks again at once after a failure, so without this an outage
 * writes thousands of equal lines.
 */
export class FailureLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #troubles = new Map<string, Trouble>();
  readonly #windows = new Map<string, { told: number; more: number }>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** `subject` is what fails, `shop/checkout sysdig-requests-0a1b`. */
  failed(subject: string, failure: Failure, event = 'cannot answer'): void {
    const now = this.#clock.now();
    const trouble = this.#troubles.get(subject);
    const kind = kindOf(failure);
    if (trouble?.kind !== kind) {
      this.#remember(subject, { kind, since: trouble?.since ?? now, toldAt: now, untold: 0 });
      this.#tell(failure, event, { trigger: subject });
      return;
    }
    trouble.untold += 1;
    if (now - trouble.toldAt < summaryEveryMs) return;
    const failingForSeconds = Math.round((now - trouble.since) / 1000);
    this.#tell(failure, event, { trigger: subject, repeats: trouble.untold, failingForSeconds });
    trouble.toldAt = now;
    trouble.untold = 0;
  }

  succeeded(subject: string): void {
    if (this.#troubles.size === 0) return;
    const trouble = this.#troubles.get(subject);
    if (trouble === undefined) return;
    this.#troubles.delete(subject);
    const failedForSeconds = Math.round((this.#clock.now() - trouble.since) / 1000);
    this.#within('answers again', () =>
      this.#log.info({ trigger: subject, failedForSeconds }, 'answers again'),
    );
  }

  #remember(subject: string, trouble: Trouble): void {
    if (this.#troubles.size >= mostSubjects && !this.#troubles.has(subject)) {
      const [oldest] = this.#troubles.keys();
      if (oldest !== undefined) this.#troubles.delete(oldest);
    }
    this.#troubles.set(subject, trouble);
  }

  /** A defect is always told: each may be another. */
  #tell(failure: Failure, event: string, about: object): void {
    const fields = { ...about, code: failure.code, reason: failure.message };
    if (failure.code === 'internal') this.#log.error({ ...fields, stack: stackOf(failure) }, event);
    else this.#within(event, () => this.#log.warn(fields, event));
  }

  #within(event: string, tell: () => void): void {
    let window = this.#windows.get(event);
    if (window === undefined) {
      window = { told: 0, more: 0 };
      this.#windows.set(event, window);
      this.#clock.after(lineWindowMs, () => this.#close(event));
    }
    if (window.told < mostLines) {
      window.told += 1;
      tell();
    } else window.more += 1;
  }

  #close(event: string): void {
    const more = this.#windows.get(event)?.more ?? 0;
    this.#windows.delete(event);
    if (more > 0) this.#log.warn({ more }, `${event}: so many more within a minute; /status names them`);
  }
}

/**
 * Digits change from one failure to the next ("in 29 s", "in 28 s") without making it another, and a Sysdig that hangs
 * shows as a deadline or as a time-out, whichever comes first.
 */
function kindOf(failure: Failure): string {
  if (failure.code === 'deadline' || failure.code === 'unavailable') return 'no answer from upstream';
  return `${failure.code} ${failure.message.replace(/\d+/g, '#')}`;
}

function stackOf(failure: Failure): string | undefined {
  return failure.cause instanceof Error ? failure.cause.stack : failure.stack;
}
