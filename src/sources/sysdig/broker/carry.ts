import { Failure } from '#src/failure.ts';
import { bind, unbind } from '#src/sources/sysdig/broker/slots.ts';
import type { Bearer, Unit } from '#src/sources/sysdig/broker/unit.ts';
import type { Answer } from '#src/sources/sysdig/question.ts';
import type { UpstreamAnswer } from '#src/sources/sysdig/upstream.ts';

/** The way to Sysdig: one request, and the time it was sent. */
export type Ask = (
  expression: string,
  questions: number,
) => Promise<{ readonly answer: UpstreamAnswer; readonly askedAt: number }>;

/** What became of one member's question. */
export interface Result<M> {
  readonly member: M;
  readonly outcome: Answer | Failure;
  /** It spoilt a request that it shared: it must not share the next. */
  readonly offender: boolean;
  /** It works only without asking for the age of its data. */
  readonly ageless: boolean;
}

export interface Road<M> {
  readonly ask: Ask;
  readonly settle: (result: Result<M>) => void;
}

interface Trail {
  readonly shared: boolean;
  readonly ageless: boolean;
  readonly halvings: number;
}

/** Sysdig cuts an answer at 1,000 series; a merged one that comes this near may have lost somebody's. */
const nearlyCut = 950;
const mostHalvings = 3;

/**
 * Asks some units in one request and settles every member. A request that is refused as `invalid` (400, 422, an
 * answer too large or not in numbers) or whose answer cannot be trusted (a warning, too near the limit of 1,000 series)
 * is divided until the offender stands alone: by unit, then without the age, then by half. Every other failure is the
 * failure of all.
 */
export async function carry<M extends Bearer>(units: readonly Unit<M>[], road: Road<M>): Promise<void> {
  await attempt(units, road, { shared: false, ageless: false, halvings: 0 });
}

/** Whether everybody was answered; false after a refusal or a cut answer. */
async function attempt<M extends Bearer>(
  units: readonly Unit<M>[],
  road: Road<M>,
  trail: Trail,
): Promise<boolean> {
  const parts = units.flatMap(({ value, ages }) => [value, ...ages]);
  const questions = units.reduce((total, { members }) => total + members.length, 0);
  let doubt: Failure;
  try {
    const { answer, askedAt } = await road.ask(bind(parts), questions);
    const hands = unbind(answer.series, parts.length);
    const found = doubtOf(answer, questions > 1);
    if (hands && !found) {
      hand(units, { hands, askedAt, road, trail });
      return true;
    }
    doubt = found ?? new Failure('unavailable', 'Sysdig answered with a series that belongs to no question');
  } catch (thrown) {
    const failure = Failure.from(thrown);
    if (failure.code !== 'invalid') {
      fail(units, failure, { road, offender: false });
      return true;
    }
    doubt = failure;
  }
  return divide(units, doubt, { road, trail });
}

async function divide<M extends Bearer>(
  units: readonly Unit<M>[],
  doubt: Failure,
  { road, trail }: { road: Road<M>; trail: Trail },
): Promise<boolean> {
  const [unit] = units;
  if (!unit) return true;
  if (units.length > 1) {
    await Promise.all(units.map((one) => attempt([one], road, { ...trail, shared: true })));
    return false;
  }
  if (unit.ages.length > 0 && doubt !== tooMany) {
    return attempt([unit.for(unit.members, { aged: false })], road, { ...trail, ageless: true });
  }
  if (unit.members.length > 1 && trail.halvings < mostHalvings) return halve(unit, doubt, { road, trail });
  fail(units, doubt, { road, offender: trail.shared });
  return false;
}

/** One member by itself tells first whether the question is at fault, or only its size. */
async function halve<M extends Bearer>(
  unit: Unit<M>,
  doubt: Failure,
  { road, trail }: { road: Road<M>; trail: Trail },
): Promise<boolean> {
  const next = { ...trail, shared: true, halvings: trail.halvings + 1 };
  const part = (members: readonly M[]) => unit.for(members, { aged: unit.ages.length > 0 });
  let rest = unit.members;
  if (trail.halvings === 0 && doubt !== tooMany) {
    if (!(await attempt([part(rest.slice(0, 1))], road, { ...next, shared: false }))) {
      fail([part(rest.slice(1))], doubt, { road, offender: false });
      return false;
    }
    rest = rest.slice(1);
  }
  const middle = Math.ceil(rest.length / 2);
  const halves = [rest.slice(0, middle), rest.slice(middle)].filter(({ length }) => length > 0);
  await Promise.all(halves.map((members) => attempt([part(members)], road, next)));
  return false;
}

const tooMany = new Failure(
  'unavailable',
  'the merged answer came too near the 1,000 series at which Sysdig cuts it, and could not be divided further',
);

/**
 * `invalid`, since Sysdig will cut it again however often it is asked: only the author can narrow it. Some versions of
 * Prometheus send mere hints among the warnings, marked as `PromQL info`.
 */
function doubtOf({ series, warnings }: UpstreamAnswer, shared: boolean): Failure | undefined {
  const warning = warnings.find((text) => !text.startsWith('PromQL info'));
  if (shared && series.length >= nearlyCut) return tooMany;
  if (warning === undefined) return undefined;
  return new Failure(
    'invalid',
    `Sysdig cut the answer: ${warning}; expected all of it: narrow the query, or aggregate it into fewer series`,
  );
}

function hand<M extends Bearer>(
  units: readonly Unit<M>[],
  {
    hands,
    askedAt,
    road,
    trail,
  }: { hands: Answer['series'][]; askedAt: number; road: Road<M>; trail: Trail },
): void {
  let at = 0;
  for (const unit of units) {
    const value = hands[at] ?? [];
    const ages = hands.slice(at + 1, at + 1 + unit.ages.length);
    at += 1 + unit.ages.length;
    const answers = unit.answers({ askedAt, value, ages });
    unit.members.forEach((member, index) => {
      const outcome = answers[index] ?? new Failure('internal', 'an answer got lost on its way');
      road.settle({ member, outcome, offender: false, ageless: trail.ageless });
    });
  }
}

function fail<M extends Bearer>(
  units: readonly Unit<M>[],
  outcome: Failure,
  { road, offender }: { road: Road<M>; offender: boolean },
): void {
  for (const member of units.flatMap(({ members }) => members)) {
    road.settle({ member, outcome, offender, ageless: false });
  }
}
