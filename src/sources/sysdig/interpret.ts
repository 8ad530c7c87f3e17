import { Failure } from '#src/failure.ts';
import { formatDuration } from '#src/fields/duration.ts';
import type { Answer } from '#src/sources/sysdig/question.ts';
import type { Series } from '#src/sources/sysdig/upstream.ts';
import type { QueryAggregator, SysdigTrigger } from '#src/triggers/trigger.ts';

/** One number, or undefined where Sysdig has no data. `at`: the time of the data, epoch ms. */
export type Reading = { readonly value: number; readonly at: number } | undefined;

/**
 * The one number that a trigger reads from an answer. Throws a `Failure` for everything that is not exactly one finite
 * number: a guess here would scale somebody's production.
 */
export function interpret(trigger: SysdigTrigger, answer: Answer): Reading {
  const { series } = answer;
  if (series.length === 0) return undefined;
  refuseSeveralClusters(trigger, series);
  for (const { value } of series) {
    if (!Number.isFinite(value))
      throw new Failure('not-found', `expected a number, got ${value}; ${adviceFor(trigger)}`);
  }
  const value = single(trigger, series);
  return { value, at: answer.dataAt };
}

/** Throws `not-found` for data older than the trigger's `maxAge`. */
export function requireYoung(dataAt: number, now: number, maxAgeMs: number): void {
  const ageMs = now - dataAt;
  if (ageMs <= maxAgeMs) return;
  const [age, limit] = [formatDuration(Math.round(ageMs / 1000) * 1000), formatDuration(maxAgeMs)];
  throw new Failure(
    'not-found',
    `the newest data is ${age} old, expected at most ${limit} (maxAge); is its sender still running?`,
  );
}

function refuseSeveralClusters({ select }: SysdigTrigger, series: readonly Series[]): void {
  const clusters = distinct(series, 'kube_cluster_name');
  if (clusters.length < 2 || (select.kind === 'metric' && select.cluster !== undefined)) return;
  throw new Failure(
    'invalid',
    `the answer spans the clusters ${few(clusters)}; name one: ${select.kind === 'query' ? 'with kube_cluster_name="…" in the query' : 'with the key cluster, or CLUSTER_NAME where the scaler runs'}`,
  );
}

function single({ select, queryAggregator }: SysdigTrigger, series: readonly Series[]): number {
  const [first, ...others] = series;
  if (first !== undefined && others.length === 0 && queryAggregator !== 'count') return first.value;
  if (queryAggregator !== undefined) {
    return aggregate(
      queryAggregator,
      series.map(({ value }) => value),
    );
  }
  if (select.kind === 'query') {
    throw new Failure(
      'invalid',
      `expected one series, got ${series.length}; wrap the query in sum(…) or set queryAggregator`,
    );
  }
  const types = distinct(series, 'kube_workload_type');
  throw new Failure(
    'invalid',
    types.length > 1
      ? `several workloads are named ${select.workload}: ${few(types)}; name one with workloadType`
      : `expected one series, got ${series.length}; narrow it with filter`,
  );
}

function aggregate(how: QueryAggregator, values: readonly number[]): number {
  switch (how) {
    case 'count':
      return values.length;
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    case 'sum':
      return sum(values);
    case 'avg':
      return sum(values) / values.length;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function distinct(series: readonly Series[], label: string): string[] {
  const values = series.map(({ labels }) => labels[label]).filter((value) => value !== undefined);
  return [...new Set(values)].sort();
}

function few(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}

function adviceFor({ select }: SysdigTrigger): string {
  return select.kind === 'query' ? 'does the query divide by 0?' : 'see the metric in Sysdig';
}
