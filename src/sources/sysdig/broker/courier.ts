import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { Account } from '#src/sources/sysdig/account.ts';
import { carry, type Result, type Road } from '#src/sources/sysdig/broker/carry.ts';
import type { Entry } from '#src/sources/sysdig/broker/entry.ts';
import { Lane, shuttingDown } from '#src/sources/sysdig/broker/lane.ts';
import { plan } from '#src/sources/sysdig/broker/plan.ts';
import type { Unit } from '#src/sources/sysdig/broker/unit.ts';
import { dataRequestOf } from '#src/sources/sysdig/data-api.ts';
import type { SysdigObserver, Upstream } from '#src/sources/sysdig/upstream.ts';

export interface CourierParts {
  readonly account: Account;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly observer: SysdigObserver;
  readonly timeoutMs: number;
  readonly settle: (result: Result<Entry>) => void;
}

/** Carries the questions of one account to Sysdig and settles each of them, whatever happens. */
export class Courier {
  readonly lane: Lane;
  readonly #parts: CourierParts;

  constructor(parts: CourierParts) {
    this.#parts = parts;
    this.lane = new Lane(parts);
  }

  take(entries: readonly Entry[]): void {
    const written = entries.filter(({ inquiry }) => inquiry.question.api === 'promql');
    for (const entry of entries) if (entry.inquiry.question.api === 'data') void this.#data(entry);
    let requests: Unit<Entry>[][] = [];
    try {
      requests = plan(written);
    } catch (thrown) {
      for (const entry of written) this.#fail(entry, thrown);
    }
    for (const units of requests) void this.#carry(units);
  }

  /** Settles a question that will not be carried: the scaler is shutting down. */
  refuse(entry: Entry): void {
    this.#fail(entry, shuttingDown());
  }

  async #carry(units: readonly Unit<Entry>[]): Promise<void> {
    const members = units.flatMap((unit) => unit.members);
    const open = new Set(members);
    const { account, upstream, observer, settle } = this.#parts;
    const road: Road<Entry> = {
      ask: (expression, questions) => {
        if (questions > 1) observer.merged(account.name, questions - 1);
        return this.lane.send(
          async (askedAt, signal) => ({ answer: await upstream.query(account, expression, signal), askedAt }),
          { isUrgent: () => members.some(({ urgent }) => urgent) },
        );
      },
      settle: (result) => {
        open.delete(result.member);
        settle(result);
      },
    };
    try {
      await carry(units, road);
    } catch (thrown) {
      for (const entry of open) this.#fail(entry, thrown);
    }
  }

  async #data(entry: Entry): Promise<void> {
    const { account, upstream, settle } = this.#parts;
    const { select } = entry.inquiry.question;
    try {
      if (select.kind === 'query') throw new Failure('invalid', 'a query is asked with api: promql');
      const request = dataRequestOf(select);
      const outcome = await this.lane.send(
        async (askedAt, signal) => {
          const { series } = await upstream.data(account, request, signal);
          const newest = series.reduce((latest, { at }) => Math.max(latest, at), 0);
          return { series, askedAt, dataAt: series.length === 0 ? askedAt : Math.min(newest, askedAt) };
        },
        { isUrgent: () => entry.urgent },
      );
      settle({ member: entry, outcome, offender: false, ageless: false });
    } catch (thrown) {
      this.#fail(entry, thrown);
    }
  }

  #fail(member: Entry, thrown: unknown): void {
    this.#parts.settle({ member, outcome: Failure.from(thrown), offender: false, ageless: false });
  }
}
