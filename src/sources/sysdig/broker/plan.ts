import { type Bearer, groupedUnit, queryUnit, type Unit } from '#src/sources/sysdig/broker/unit.ts';

/** A question that is to be asked now. */
export interface Traveller extends Bearer {
  /** The namespace that it travels with. */
  readonly lane: string;
  /** It spoilt a shared request lately. */
  readonly apart: boolean;
  /** It fails when the age of its data is asked for. */
  readonly ageless: boolean;
  /** How many series its last answer had; undefined: never answered. */
  readonly rows: number | undefined;
}

/** Sysdig's limits per query: 10 distinct metrics, 1,000 series; we keep well below the second, which cuts silently. */
const mostMetrics = 10;
const mostRows = 800;
/** No limit is published: what a careful proxy lets pass. */
const mostCharacters = 100_000;

/** Divides the questions of one account into requests, each a list of units. */
export function plan<M extends Traveller>(travellers: readonly M[]): Unit<M>[][] {
  const alone: Unit<M>[] = [];
  const families = new Map<string, M[]>();
  const lanes = new Map<string, Unit<M>[]>();
  const place = (unit: Unit<M>) => {
    const [first] = unit.members;
    if (first && unit.shareable && !first.apart) push(lanes, first.lane, unit);
    else alone.push(unit);
  };
  for (const traveller of travellers) {
    const { family } = traveller.inquiry;
    if (family === undefined || traveller.apart) place(unitOf(traveller));
    else push(families, JSON.stringify([family, traveller.ageless]), traveller);
  }
  for (const members of families.values()) chunks(members).forEach(place);
  return [...alone.map((unit) => [unit]), ...[...lanes.values()].flatMap(batches)];
}

function unitOf<M extends Traveller>(traveller: M): Unit<M> {
  const options = { aged: isAged(traveller) };
  return traveller.inquiry.family === undefined
    ? queryUnit(traveller, options)
    : groupedUnit([traveller], options);
}

function isAged({ inquiry, ageless }: Traveller): boolean {
  return inquiry.aged && !ageless;
}

/** Chunks with about the same number of rows, so that each stays as far from the limits as it can. */
function chunks<M extends Traveller>(members: readonly M[]): Unit<M>[] {
  const total = members.reduce((sum, one) => sum + rowsOf(one), 0);
  const count = Math.ceil(total / mostRows);
  const chunked: M[][] = Array.from({ length: count }, () => []);
  let before = 0;
  // In one order whoever asked first, so that the next round asks the same and namespaces stay together.
  for (const member of [...members].sort((a, b) => (a.inquiry.key < b.inquiry.key ? -1 : 1))) {
    chunked[Math.floor((before * count) / total)]?.push(member);
    before += rowsOf(member);
  }
  return chunked.filter(({ length }) => length > 0).flatMap(shortened);
}

function shortened<M extends Traveller>(members: readonly M[]): Unit<M>[] {
  const [first] = members;
  if (!first) return [];
  const unit = groupedUnit(members, { aged: isAged(first) });
  if (members.length === 1 || charactersIn(unit) <= mostCharacters) return [unit];
  const middle = Math.ceil(members.length / 2);
  return [members.slice(0, middle), members.slice(middle)].flatMap(shortened);
}

function rowsOf(traveller: Traveller): number {
  const values = Math.max(1, traveller.rows ?? 1);
  const ages = traveller.inquiry.family === undefined ? traveller.inquiry.ages.length : values;
  return values + (isAged(traveller) ? ages : 0);
}

/** Those that read the same metrics side by side; only the last batch is open, so that thousands cost no search. */
function batches<M extends Traveller>(units: readonly Unit<M>[]): Unit<M>[][] {
  const full: Batch<M>[] = [];
  const metricsOf = ({ metrics = [] }: Unit<M>) => [...metrics].sort().join();
  for (const unit of [...units].sort((a, b) => (metricsOf(a) < metricsOf(b) ? -1 : 1))) {
    const open = full.at(-1);
    const batch = open?.fits(unit) ? open : new Batch<M>();
    if (batch !== open) full.push(batch);
    batch.add(unit);
  }
  return full.map(({ units: together }) => together);
}

class Batch<M extends Traveller> {
  readonly units: Unit<M>[] = [];
  readonly #metrics = new Set<string>();
  #rows = 0;
  #characters = 0;

  fits(unit: Unit<M>): boolean {
    const metrics = new Set([...this.#metrics, ...(unit.metrics ?? [])]);
    return (
      metrics.size <= mostMetrics &&
      this.#rows + rowsIn(unit) <= mostRows &&
      this.#characters + charactersIn(unit) <= mostCharacters
    );
  }

  add(unit: Unit<M>): void {
    this.units.push(unit);
    for (const metric of unit.metrics ?? []) this.#metrics.add(metric);
    this.#rows += rowsIn(unit);
    this.#characters += charactersIn(unit);
  }
}

function rowsIn<M extends Traveller>(unit: Unit<M>): number {
  return unit.members.reduce((total, member) => total + rowsOf(member), 0);
}

function charactersIn<M extends Traveller>({ value, ages }: Unit<M>): number {
  return [value, ...ages].reduce((total, part) => total + part.length + 60, 0);
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
