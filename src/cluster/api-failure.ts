import { Failure } from '#src/failure.ts';

/** The HTTP status that the API server answered with; undefined where it did not answer. */
export function statusOf(thrown: unknown): number | undefined {
  const { code, statusCode } = (thrown ?? {}) as { code?: unknown; statusCode?: unknown };
  const status = statusCode ?? code;
  return typeof status === 'number' ? status : undefined;
}

/** What the API server says of its refusal. */
export function messageOf(thrown: unknown): string {
  const { body, message } = (thrown ?? {}) as { body?: unknown; message?: unknown };
  const status = typeof body === 'string' ? parse(body) : body;
  const told = (status as { message?: unknown } | undefined)?.message;
  if (typeof told === 'string') return told;
  const { cause } = (thrown ?? {}) as { cause?: { message?: unknown } };
  return [message, cause?.message].filter((text) => typeof text === 'string').join(': ') || String(thrown);
}

/** `doing`: "reading pod shop/checkout". */
export function apiFailure(thrown: unknown, doing: string): Failure {
  if (thrown instanceof Failure) return thrown;
  const status = statusOf(thrown);
  const code =
    status === 403 || status === 401 ? 'permission-denied' : status === 404 ? 'not-found' : 'unavailable';
  return new Failure(code, `the API server failed at ${doing}: ${messageOf(thrown)}`, {
    cause: thrown,
    ...(status === undefined ? {} : { httpStatus: status }),
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
