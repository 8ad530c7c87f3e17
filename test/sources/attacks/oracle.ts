import { compileFilter } from '#src/alerts/alert-filter.ts';
import type { Entry } from '#src/journal/entry.ts';
import { floorTo, mostAheadMs, stepOf, tickMs } from '#src/journal/resolution.ts';
import { guessedOwners, isOf } from '#src/sources/attacks/owners.ts';
import type { AttackQuestion } from '#src/sources/attacks.ts';
import { alertOf } from '#test/harness/alert-of.ts';

interface OraclePod {
  readonly name: string;
  uid: string | undefined;
  alerts: { at: number; count: number; entry: Entry }[];
}

/** Keeps every alert and counts anew with each question: slow, and right by its simplicity. */
export class Oracle {
  readonly #retentionMs: number;
  #pods: OraclePod[] = [];

  constructor(retentionMs: number) {
    this.#retentionMs = retentionMs;
  }

  record(entry: Entry, now: number): void {
    this.#restamp(now);
    if (entry.at < now - this.#retentionMs) return;
    const at = entry.at > now + mostAheadMs ? floorTo(tickMs, now) : entry.at;
    const oldest = now - this.#retentionMs;
    this.#pods = this.#pods.filter(
      ({ name, alerts }) => name !== alertOf(entry).pod || alerts.some((one) => one.at >= oldest),
    );
    this.#find(entry, at).alerts.push({ at, count: entry.count, entry });
  }

  read({ workload, filter, windowMs }: AttackQuestion, now: number) {
    this.#restamp(now);
    const matches = compileFilter(filter);
    const stepMs = stepOf(windowMs);
    const cut = Math.floor(now / stepMs) - Math.ceil(windowMs / stepMs);
    const found = { alerts: 0, infections: 0, newInfections: 0 };
    for (const pod of this.#pods) {
      if (!guessedOwners.of({ namespace: 'shop', name: pod.name }).some((owner) => isOf(owner, workload)))
        continue;
      const matching = pod.alerts.filter(({ entry }) => matches({ ...alertOf(entry), mayAct: true }));
      const within = matching.filter(({ at }) => Math.floor(at / stepMs) > cut);
      found.alerts += within.reduce((sum, { count }) => sum + count, 0);
      if (within.length > 0) found.infections++;
      const first = Math.min(...matching.map(({ at }) => at));
      if (within.length > 0 && Math.floor(first / stepMs) > cut) found.newInfections++;
    }
    return found;
  }

  #find(entry: Entry, at: number): OraclePod {
    const { pod: name, podUid: uid } = alertOf(entry);
    const namesakes = this.#pods.filter((pod) => pod.name === name);
    const firstOf = ({ alerts }: OraclePod) => Math.min(...alerts.map((one) => one.at));
    let found: OraclePod | undefined;
    if (uid !== undefined) {
      found = namesakes.find((pod) => pod.uid === uid) ?? namesakes.find((pod) => pod.uid === undefined);
    } else {
      const alive = namesakes.filter((pod) => firstOf(pod) <= at);
      const latest = Math.max(...alive.map(firstOf));
      const earliest = Math.min(...namesakes.map(firstOf));
      found =
        alive.findLast((pod) => firstOf(pod) === latest) ??
        namesakes.find((pod) => firstOf(pod) === earliest);
    }
    if (found !== undefined) {
      found.uid ??= uid;
      return found;
    }
    const pod: OraclePod = { name, uid, alerts: [] };
    this.#pods.push(pod);
    return pod;
  }

  #restamp(now: number): void {
    const latest = floorTo(tickMs, now + mostAheadMs);
    for (const { alerts } of this.#pods) for (const one of alerts) one.at = Math.min(one.at, latest);
  }
}
