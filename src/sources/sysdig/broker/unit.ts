import { Failure } from '#src/failure.ts';
import { dealRows, groupedQuery } from '#src/sources/sysdig/broker/grouped.ts';
import type { AgePart, Inquiry } from '#src/sources/sysdig/broker/inquiry.ts';
import { slotLabel } from '#src/sources/sysdig/broker/slots.ts';
import { promqlName } from '#src/sources/sysdig/metric-names.ts';
import type { Answer } from '#src/sources/sysdig/question.ts';
import type { Series } from '#src/sources/sysdig/upstream.ts';
import type { MetricOfWorkload } from '#src/triggers/trigger.ts';

/** Whoever carries an inquiry: an entry of the memory. */
export interface Bearer {
  readonly inquiry: Inquiry;
}

/** What came back for a unit. */
export interface Received {
  readonly askedAt: number;
  readonly value: readonly Series[];
  /** In the order of the unit's `ages`. */
  readonly ages: readonly (readonly Series[])[];
}

/** The smallest thing that travels: one question, or many that became one grouped query. */
export interface Unit<M extends Bearer> {
  readonly members: readonly M[];
  readonly value: string;
  /** Expressions that tell how old the data of `value` is. */
  readonly ages: readonly string[];
  /** The distinct metrics that are read; undefined where that is not known. */
  readonly metrics: readonly string[] | undefined;
  /** Whether it may stand in one request with others of its namespace. */
  readonly shareable: boolean;
  /** The answers of the members, in their order. */
  answers(received: Received): Answer[];
  /** The same for some of the members, or without asking for the age. */
  for(members: readonly M[], options: { aged: boolean }): Unit<M>;
}

/** A unit of one written query. */
export function queryUnit<M extends Bearer>(member: M, { aged }: { aged: boolean }): Unit<M> {
  const { question, expression, ages } = member.inquiry;
  if (question.select.kind !== 'query') throw new Failure('internal', 'a metric is not a written query');
  const { query } = question.select;
  const asked = aged ? ages : [];
  return {
    members: [member],
    value: query,
    ages: asked.map(({ text }) => text),
    metrics: expression?.metrics,
    shareable:
      expression?.shareable === true && expression.metrics !== undefined && !query.includes(slotLabel),
    answers: (received) => [
      { series: received.value, askedAt: received.askedAt, dataAt: oldest(received, asked) },
    ],
    for: (_, options) => queryUnit(member, options),
  };
}

/** A unit of one family: its members must agree on whether the age is asked for. */
export function groupedUnit<M extends Bearer>(members: readonly M[], { aged }: { aged: boolean }): Unit<M> {
  const metrics = members.map(metricOf);
  const { value, age } = groupedQuery(metrics, { aged });
  return {
    members,
    value,
    ages: age === undefined ? [] : [age],
    metrics: [...new Set(metrics.map(({ metric }) => promqlName(metric)))],
    shareable: members.length === 1,
    answers(received) {
      const rows = dealRows(metrics, received.value);
      const times = aged ? dealRows(metrics, received.ages[0] ?? []) : [];
      return metrics.map(({ windowMs }, index) => {
        const series = rows[index] ?? [];
        const ages = aged && series.length > 0 ? [times[index] ?? []] : [];
        return {
          series,
          askedAt: received.askedAt,
          dataAt: dataAt(received.askedAt, ages, windowMs),
        };
      });
    },
    for: (some, options) => groupedUnit(some, options),
  };
}

function metricOf({ inquiry }: Bearer): MetricOfWorkload {
  const { select } = inquiry.question;
  if (select.kind !== 'metric') throw new Failure('internal', 'a written query has no workload');
  return select;
}

/** The oldest of what the selectors say of their newest sample; those without data have no part in the value. */
function oldest({ askedAt, ages }: Received, asked: readonly AgePart[]): number {
  const times = asked.flatMap(({ reachMs }, index) =>
    ages[index]?.length ? [dataAt(askedAt, [ages[index]], reachMs)] : [],
  );
  return Math.min(askedAt, ...times);
}

/**
 * No row, or 0: there is data within `reachMs`, and none within the look-back. An age is the difference of two times of
 * Sysdig's, so that a clock of ours that is wrong makes nothing old.
 */
function dataAt(askedAt: number, ages: readonly (readonly Series[])[], reachMs: number): number {
  const agesMs = ages.flatMap((rows) =>
    rows.length === 0 ? [reachMs] : rows.map(({ value, at }) => (value > 0 ? at - value * 1000 : reachMs)),
  );
  return askedAt - Math.max(0, ...agesMs);
}
