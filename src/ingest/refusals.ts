import type { IncomingMessage, ServerResponse } from 'node:http';
import { senders } from '#src/alerts/alert.ts';
import type { Clock } from '#src/clock.ts';

/** Why a request is not read, or not read on. */
export interface Refusal {
  readonly status: number;
  /** For the log, and to count refusals of one kind together. */
  readonly reason: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

const paths = senders.map((sender) => `/ingest/${sender}`).join(', ');

export const refusals = {
  unknownPath: refusal(404, 'an unknown path', `expected one of ${paths}`),
  wrongMethod: refusal(405, 'a method other than POST', 'expected POST or PUT', { Allow: 'POST, PUT' }),
  unauthenticated: refusal(
    401,
    'no credential, or a wrong one',
    'expected a bearer token or a client certificate that is known here; Falco may give its token as ?token=',
    { 'WWW-Authenticate': 'Bearer' },
  ),
  forbiddenSender: refusal(
    403,
    'a credential for other senders',
    "this credential does not open this path; see its 'senders'",
  ),
  tooLarge: refusal(
    413,
    'a body that is too large',
    'expected at most 256 KiB for one alert, 4 MiB for a batch',
  ),
  wrongType: refusal(
    415,
    'a content type that holds no JSON',
    'expected JSON (application/json, +json, x-ndjson); set `json_output: true` in Falco, `Format json` in Fluent Bit',
  ),
  wrongEncoding: refusal(415, 'an unknown content encoding', 'expected no compression, gzip or deflate', {
    'Accept-Encoding': 'gzip, deflate',
  }),
  overloaded: refusal(503, 'overload', 'overloaded: send again later', { 'Retry-After': '1' }),
} as const satisfies Record<string, Refusal>;

/** How long a refused sender may take to read its answer. */
const partingMs = 250;

/**
 * Answers without reading on, and lets go of the connection. What the sender still sends is left where it is: a connection
 * that is closed at once over unread bytes would be reset, and the answer with it, so it stands half closed for a moment.
 */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { refusal: { status, text, headers }, clock }: { refusal: Refusal; clock: Clock },
): void {
  const { socket } = request;
  const body = `${text}\n`;
  const fields = {
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': `${Buffer.byteLength(body)}`,
    Connection: 'close',
  };
  // An earlier answer on this connection is still to come, and has to come first.
  if (response.socket === null) {
    response.writeHead(status, fields).end(body);
    return;
  }
  request.pause();
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${statusTexts[status] ?? 'Refused'}\r\n${lines.join('')}\r\n${body}`);
  clock.after(partingMs, () => socket.destroy());
}

const statusTexts: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  503: 'Service Unavailable',
};

function refusal(
  status: number,
  reason: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  return { status, reason, text, headers };
}
