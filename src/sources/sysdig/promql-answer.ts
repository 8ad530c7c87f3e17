import { Failure } from '#src/failure.ts';
import { type ErrorContext, sayable } from '#src/sources/sysdig/errors.ts';
import type { Series, UpstreamAnswer } from '#src/sources/sysdig/upstream.ts';

const special: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  '+Inf': Number.POSITIVE_INFINITY,
  Inf: Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
};

/**
 * The answer to an instant query (Prometheus HTTP API: instant queries): a vector, or a scalar as one series without
 * labels. `warnings` are kept, since a truncated answer says so there; `infos` only advise. Throws `invalid` for what is
 * no single number per series (matrix, string, native histograms), `unavailable` for what is no such answer at all.
 */
export function readPromqlAnswer(body: unknown, context: ErrorContext): UpstreamAnswer {
  const { status, error, warnings, data } = fields(body);
  if (status === 'error') {
    throw new Failure(
      'invalid',
      `${context.upstream} refuses the query: ${sayable(String(error ?? ''), context.secrets)}`,
    );
  }
  const { resultType, result } = fields(data);
  return {
    series: seriesOf(resultType, result, context),
    warnings: (Array.isArray(warnings) ? warnings : []).map((text) => sayable(String(text), context.secrets)),
  };
}

function seriesOf(resultType: unknown, result: unknown, context: ErrorContext): Series[] {
  if (resultType === 'scalar') return [point({}, result, context)];
  if (resultType === 'vector' && Array.isArray(result))
    return result.map((one) => vectorSeries(one, context));
  if (resultType === 'matrix' || resultType === 'string') {
    const fix =
      resultType === 'matrix'
        ? 'take a range of samples to one number, as in avg_over_time(…[1m])'
        : 'ask for a number';
    throw new Failure('invalid', `query: expected a vector or a scalar, got a ${resultType}; ${fix}`);
  }
  throw notPrometheus(context);
}

function vectorSeries(one: unknown, context: ErrorContext): Series {
  const { metric, value, histogram } = fields(one);
  if (value === undefined && histogram !== undefined) {
    throw new Failure(
      'invalid',
      'query: expected one number a series, got a native histogram; use histogram_quantile or histogram_count',
    );
  }
  return point(fields(metric) as Record<string, string>, value, context);
}

function point(labels: Readonly<Record<string, string>>, pair: unknown, context: ErrorContext): Series {
  if (!Array.isArray(pair)) throw notPrometheus(context);
  const [seconds, text]: unknown[] = pair;
  if (typeof seconds !== 'number' || typeof text !== 'string') throw notPrometheus(context);
  const value = Object.hasOwn(special, text) ? special[text] : Number(text);
  if (value === undefined || text === '' || (Number.isNaN(value) && text !== 'NaN'))
    throw notPrometheus(context);
  return { labels, value, at: seconds * 1000 };
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function notPrometheus({ upstream }: ErrorContext): Failure {
  return new Failure(
    'unavailable',
    `${upstream}: expected the answer of a Prometheus query, got other JSON; check SYSDIG_URL`,
  );
}
