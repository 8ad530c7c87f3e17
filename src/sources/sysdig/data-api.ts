import { Failure } from '#src/failure.ts';
import { workloadFilter } from '#src/sources/sysdig/data-filter.ts';
import type { ErrorContext } from '#src/sources/sysdig/errors.ts';
import { dataApiName } from '#src/sources/sysdig/metric-names.ts';
import type { DataRequest, Series, UpstreamAnswer } from '#src/sources/sysdig/upstream.ts';
import type { MetricOfWorkload } from '#src/triggers/trigger.ts';

/** What a trigger asks of the Data API. Throws `invalid` where its filter cannot be said there. */
export function dataRequestOf(select: MetricOfWorkload): DataRequest {
  const { metric, timeAggregation, groupAggregation, windowMs } = select;
  return {
    metric: dataApiName(metric),
    timeAggregation,
    groupAggregation,
    windowMs,
    filter: workloadFilter(select),
  };
}

/**
 * The body of `POST /api/data/` (Sysdig API: data). Without `sampling` the answer is one aggregate over the window,
 * which is whole steps of 10 s, as agents send every 10 s.
 */
export function dataRequestBody(request: DataRequest): object {
  const { metric, timeAggregation, groupAggregation, windowMs, filter } = request;
  return {
    last: Math.max(1, Math.ceil(windowMs / 10_000)) * 10,
    metrics: [{ id: metric, aggregations: { time: timeAggregation, group: groupAggregation } }],
    ...(filter !== undefined && filter !== '' && { filter }),
    dataSourceType: metric.startsWith('host.') ? 'host' : 'container',
    paging: { from: 0, to: 99 },
  };
}

interface Bucket {
  /** Epoch seconds of its end. */
  readonly t: number;
  readonly rows: readonly (readonly unknown[])[];
}

/**
 * The newest whole bucket that holds a value; empty where none does. Rows are flat (`d: [6.48]`) or nested
 * (`d: [[6.48]]`), the number last. A bucket is stamped with its end, so one that ends in the future is still filling
 * and is left out, unless it is the only one: then it is the aggregate that was asked for.
 */
export function readDataAnswer(body: unknown, context: ErrorContext): UpstreamAnswer {
  const { data, end } = Object(body) as { data?: unknown; end?: unknown };
  if (!Array.isArray(data)) throw notData(context);
  const buckets = data.map((one) => bucketOf(one, context));
  const until = Math.min(context.now / 1000, typeof end === 'number' ? end : Number.POSITIVE_INFINITY);
  const isOnly = new Set(buckets.map(({ t }) => t)).size === 1;
  const series = buckets
    .filter(({ t }) => isOnly || t <= until)
    .flatMap((bucket) => seriesOf(bucket, context));
  const newest = Math.max(...series.map(({ at }) => at));
  return { series: series.filter(({ at }) => at === newest), warnings: [] };
}

function bucketOf(one: unknown, context: ErrorContext): Bucket {
  const { t, d } = Object(one) as { t?: unknown; d?: unknown };
  if (typeof t !== 'number' || !Array.isArray(d)) throw notData(context);
  const isNested = d.some(Array.isArray);
  return { t, rows: isNested ? d.filter(Array.isArray) : [d] };
}

function seriesOf({ t, rows }: Bucket, context: ErrorContext): Series[] {
  return rows.flatMap((row) => {
    const value = row.at(-1);
    if (value === null || value === undefined) return [];
    if (typeof value !== 'number') throw notData(context);
    return [{ labels: {}, value, at: t * 1000 }];
  });
}

function notData({ upstream }: ErrorContext): Failure {
  return new Failure(
    'unavailable',
    `${upstream}: expected the answer of the Data API, got other JSON; check SYSDIG_URL`,
  );
}
