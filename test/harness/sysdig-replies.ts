import { brotliCompressSync, gzipSync } from 'node:zlib';

/** What the fake answers. */
export interface FakeReply {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON; text as it is. */
  readonly body?: string | Buffer | object;
  /** Waits before the answer, on top of the fake's own delay. */
  readonly delayMs?: number;
  /** Never answers: `head` sends nothing at all, `body` only the head and the first half of the body. */
  readonly hang?: 'head' | 'body';
}

/** Bodies in the shapes that Sysdig sends. */
export const replies = {
  vector(
    series: readonly { labels?: Record<string, string>; value: string | number }[],
    extra: object = {},
  ): FakeReply {
    const at = Math.floor(Date.now() / 1000);
    const result = series.map(({ labels = {}, value }) => ({ metric: labels, value: [at, String(value)] }));
    return { body: { status: 'success', data: { resultType: 'vector', result }, ...extra } };
  },
  /** 400, 410, 422 and 500 of the PromQL road. */
  prometheusError(status: number, error: string): FakeReply {
    return { status, body: { status: 'error', errorType: 'bad_data', error } };
  },
  unauthorized(path: string): FakeReply {
    return { status: 401, body: { timestamp: Date.now(), status: 401, error: 'Unauthorized', path } };
  },
  notFound(): FakeReply {
    return {
      status: 404,
      body: JSON.stringify('HTTP 404 Not Found'),
      headers: { 'content-type': 'application/json' },
    };
  },
  gone(): FakeReply {
    return replies.prometheusError(410, 'endpoint is not supported');
  },
  /** `retryAfter`: seconds or a date, as it stands in the header. */
  rateLimited(retryAfter?: string): FakeReply {
    return {
      status: 429,
      headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
      body: {
        type: 'https://sysdig.com/problems/too-many-requests',
        message: 'Too many requests',
        details: [],
      },
    };
  },
  /** IBM Cloud and the older APIs. */
  listedErrors(status: number, errors: readonly { reason?: string; message?: string }[]): FakeReply {
    return { status, body: { errors } };
  },
  html(status: number, title: string): FakeReply {
    const body = `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
    return { status, headers: { 'content-type': 'text/html' }, body };
  },
  /** Rows of `[end of the bucket in epoch seconds, ...its row]`; the row is sent as it is given, flat or nested. */
  data(
    rows: readonly (readonly [t: number, d: unknown[]])[],
    end = Math.floor(Date.now() / 1000),
  ): FakeReply {
    return { body: { data: rows.map(([t, d]) => ({ t, d })), start: end - 60, end } };
  },
  iamToken(token: string, expiresAtMs: number): FakeReply {
    const expiration = Math.floor(expiresAtMs / 1000);
    return { body: { access_token: token, token_type: 'Bearer', expires_in: 3600, expiration } };
  },
  /** Any reply, its body compressed. */
  compressed(reply: FakeReply, encoding: 'gzip' | 'br'): FakeReply {
    const plain = bytesOf(reply);
    const body = encoding === 'gzip' ? gzipSync(plain) : brotliCompressSync(plain);
    return { ...reply, body, headers: { ...reply.headers, 'content-encoding': encoding } };
  },
};

/** The body as it goes over the wire. */
export function bytesOf({ body = '' }: FakeReply): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
