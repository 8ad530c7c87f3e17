import test from 'ava';
import fc from 'fast-check';
import { failureOf, sayable, unreadable } from '#src/sources/sysdig/errors.ts';
import type { HttpAnswer } from '#src/sources/sysdig/http-pool.ts';
import { bytesOf, type FakeReply, replies } from '#test/harness/sysdig-replies.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const token = '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9';
const context = { upstream: 'Sysdig', now, secrets: [token] };

const table: [string, FakeReply, code: string, message: string][] = [
  [
    'a wrong query',
    replies.prometheusError(400, '1:8: parse error'),
    'invalid',
    'Sysdig refuses the query (400): 1:8: parse error',
  ],
  [
    'a query that fails',
    replies.prometheusError(422, 'many-to-many'),
    'invalid',
    'Sysdig refuses the query (422): many-to-many',
  ],
  ['a server error', replies.prometheusError(500, 'boom'), 'unavailable', 'Sysdig failed (500): boom'],
  [
    'an endpoint that is not offered',
    replies.gone(),
    'unavailable',
    'Sysdig failed (410): endpoint is not supported; check SYSDIG_URL or SYSDIG_REGION',
  ],
  [
    'a bare JSON string',
    replies.notFound(),
    'unavailable',
    'Sysdig failed (404): HTTP 404 Not Found; check SYSDIG_URL or SYSDIG_REGION',
  ],
  [
    'a wrong token',
    replies.unauthorized('/api/data/'),
    'unauthenticated',
    'Sysdig does not accept the credentials (401): Unauthorized; expected a Monitor API token (not an agent access key): check the token file',
  ],
  [
    'a role that may not',
    { status: 403, body: { message: 'no' } },
    'permission-denied',
    "Sysdig does not allow this (403): no; check what the token's team and role may read",
  ],
  [
    'too many requests',
    replies.rateLimited('7'),
    'rate-limited',
    'Sysdig is asked too often (429): Too many requests',
  ],
  [
    'listed errors',
    replies.listedErrors(400, [{ reason: 'Bad', message: 'metric' }, { message: 'also' }]),
    'invalid',
    'Sysdig refuses the query (400): Bad: metric; also',
  ],
  [
    'listed errors before a message',
    { status: 400, body: { message: 'later', error: 'last', errors: [{ reason: 'first' }] } },
    'invalid',
    'Sysdig refuses the query (400): first',
  ],
  [
    'a message before an error',
    { status: 400, body: { error: 'last', message: 'first' } },
    'invalid',
    'Sysdig refuses the query (400): first',
  ],
  [
    'empty listed errors',
    { status: 500, body: { errors: [], error: 'really' } },
    'unavailable',
    'Sysdig failed (500): really',
  ],
  [
    'a page of a proxy',
    replies.html(502, 'Bad Gateway'),
    'unavailable',
    'Sysdig was not reached (502): an HTML page titled "Bad Gateway"',
  ],
  [
    'a page with a status that blames the query',
    replies.html(400, 'Blocked'),
    'unavailable',
    'Sysdig was not reached (400): an HTML page titled "Blocked"',
  ],
  [
    'plain text',
    { status: 503, body: 'upstream connect error' },
    'unavailable',
    'Sysdig failed (503): a body without a message',
  ],
  ['nothing', { status: 503 }, 'unavailable', 'Sysdig failed (503): nothing but the status 503'],
  [
    'a redirect',
    { status: 302, headers: { location: 'https://login.example.com/?t=1' } },
    'unavailable',
    'Sysdig failed (302): a redirect to https://login.example.com, which is not followed; check SYSDIG_URL or SYSDIG_REGION',
  ],
];
for (const [title, reply, code, message] of table) {
  test(`reads ${title}`, (t) => {
    const failure = failureOf(answerOf(reply), context);
    t.is(failure.message, message);
    t.is(failure.code, code as typeof failure.code);
    t.is(failure.httpStatus, reply.status);
  });
}

const times: [string, string | undefined, number][] = [
  ['seconds', '7', now + 7_000],
  ['a date', 'Sun, 01 Mar 2026 12:00:20 GMT', now + 20_000],
  ['a date in the past', 'Sun, 01 Mar 2026 11:00:00 GMT', now],
  ['nothing', undefined, now + 30_000],
  ['nonsense', 'soon', now + 30_000],
  ['a year, which is cut to an hour', '31536000', now + 3_600_000],
];
for (const [title, retryAfter, at] of times) {
  test(`a 429 with ${title} says when to ask again`, (t) => {
    t.is(failureOf(answerOf(replies.rateLimited(retryAfter)), context).retryAt, at);
  });
}

test('a 503 is given a time only by its header', (t) => {
  t.is(failureOf(answerOf({ status: 503, headers: { 'retry-after': '5' } }), context).retryAt, now + 5_000);
  t.is(failureOf(answerOf({ status: 503 }), context).retryAt, undefined);
});

test('a page instead of JSON is told as what it is', (t) => {
  const failure = unreadable(answerOf(replies.html(200, 'Sign in')), context);
  t.is(failure.code, 'unavailable');
  t.regex(
    failure.message,
    /expected JSON, got an HTML page titled "Sign in"; a proxy answered, or SYSDIG_URL/,
  );
});

test('a message is one line of at most 200 characters', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
      const said = sayable(text, []);
      t.true([...said].length <= 200);
      t.notRegex(said, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test('no token is said, whole or cut off, wherever the upstream puts it', (t) => {
  const shapes = (text: string): FakeReply[] => [
    replies.prometheusError(400, text),
    replies.listedErrors(400, [{ reason: text, message: text }]),
    replies.html(403, text),
    { status: 404, body: JSON.stringify(text) },
    { status: 302, headers: { location: `https://${text}.example.com/` } },
  ];
  fc.assert(
    fc.property(
      fc.string({ maxLength: 250 }),
      fc.integer({ min: 8, max: token.length }),
      (before, length) => {
        for (const reply of shapes(`${before} ${token.slice(0, length)} and ${token}`)) {
          t.false(failureOf(answerOf(reply), context).message.includes(token.slice(0, 8)));
        }
      },
    ),
  );
});

function answerOf(reply: FakeReply): HttpAnswer {
  return { status: reply.status ?? 200, headers: reply.headers ?? {}, body: bytesOf(reply).toString() };
}
