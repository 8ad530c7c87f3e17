import { promqlLabel, promqlName } from '#src/sources/sysdig/metric-names.ts';
import { type Expression, readExpression } from '#src/sources/sysdig/promql/grammar.ts';
import { matcher } from '#src/sources/sysdig/promql-text.ts';
import type { Question } from '#src/sources/sysdig/question.ts';
import type { LabelMatcher, MetricOfWorkload } from '#src/triggers/trigger.ts';

/** A question, read once. */
export interface Inquiry {
  readonly question: Question;
  /** The credential that the key was made for. */
  readonly credentialVersion: number;
  /** Equal for questions that have the same answer, whoever asks. */
  readonly key: string;
  /** Equal for questions that can become one grouped query; undefined for those that cannot. */
  readonly family: string | undefined;
  /** A written query, where it is certainly one instant vector. */
  readonly expression: Expression | undefined;
  /** What tells the age of a written query's data; nothing where its age cannot exceed the trigger's `maxAge`. */
  readonly ages: readonly AgePart[];
  /** Whether a grouped query must tell the age of its data. */
  readonly aged: boolean;
}

/** An expression for the time of the newest sample behind a selector, epoch s; 0: beyond the look-back of 5 minutes. */
export interface AgePart {
  readonly text: string;
  /** How old the data is at most where `text` gives 0. */
  readonly reachMs: number;
}

/** Reads a question. Throws `invalid` for names that cannot be written in PromQL. */
export function inquire(question: Question): Inquiry {
  const { account, api, select, maxAgeMs } = question;
  const credentialVersion = account.credential.version;
  const owner = [account.name, credentialVersion, api];
  if (select.kind === 'query') {
    const expression = readExpression(select.query);
    const ages = agesOf(expression, maxAgeMs);
    const key = keyOf([...owner, select.query, ...ages.map(({ text }) => text)]);
    return { question, credentialVersion, key, family: undefined, expression, ages, aged: ages.length > 0 };
  }
  const aged = api === 'promql' && select.windowMs > maxAgeMs;
  const kin = [...owner, aged, ...kinship(select, api)];
  return {
    question,
    credentialVersion,
    key: keyOf([...kin, select.namespace, select.service ?? select.workload, select.workloadType]),
    family: api === 'promql' ? keyOf(kin) : undefined,
    expression: undefined,
    ages: [],
    aged,
  };
}

/**
 * PromQL stamps the time of the evaluation on whatever it finds up to 5 minutes back, so a dead series looks alive:
 * the true time is asked for beside the value. A selector whose reach lies within `maxAge` needs nothing: that it has
 * a value proves data young enough. One with a range that has data only beyond the look-back answers 0.
 */
function agesOf(expression: Expression | undefined, maxAgeMs: number): AgePart[] {
  const parts = new Map<string, AgePart>();
  for (const { text, reachMs, ranged } of expression?.selectors ?? []) {
    if (reachMs <= maxAgeMs) continue;
    const newest = `max(timestamp(${text}))`;
    const any = `0 * count(count_over_time(${text}[${Math.ceil(reachMs / 1000)}s]))`;
    const bare = !ranged && reachMs === 300_000;
    const part = { text: bare ? newest : `${newest} or ${any}`, reachMs };
    parts.set(part.text, part);
  }
  return [...parts.values()];
}

function kinship(select: MetricOfWorkload, api: Question['api']): unknown[] {
  return [
    api === 'promql' ? promqlName(select.metric) : select.metric,
    select.service === undefined ? 'workload' : 'service',
    select.cluster,
    conditionsOf(select.filter),
    select.timeAggregation,
    select.groupAggregation,
    select.windowMs,
  ];
}

/** The conditions in PromQL. The order in which they were written decides nothing. */
export function conditionsOf(filter: readonly LabelMatcher[]): string[] {
  return [...new Set(filter.map((one) => matcher({ ...one, label: promqlLabel(one.label) })))].sort();
}

function keyOf(parts: readonly unknown[]): string {
  return JSON.stringify(parts.map((part) => part ?? null));
}
