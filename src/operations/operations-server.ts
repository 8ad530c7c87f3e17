import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure } from '#src/failure.ts';
import type { ListenAddress } from '#src/listen-address.ts';
import { maySeeStatus } from '#src/operations/status-access.ts';

/** What the operations address shows. */
export interface OperationsView {
  /** Undefined when ready; otherwise why not. Only this process counts: never Sysdig, a disk or a network. */
  notReadyBecause(): string | undefined;
  metrics(): Promise<{ contentType: string; text: string }>;
  /** A plain object, shown as JSON. */
  status(): object;
  /** Arms a rule of the reaper's again; false if it was not disarmed. */
  rearm(rule: string): boolean;
  /** The bearer token that opens /status and /rearm from afar; undefined: loopback only. Read at each request, as files change. */
  statusToken(): string | undefined;
}

/** Silent and slow connections are cut within seconds, or a few hundred of them would shut out the kubelet's probes. */
const limits = { headersTimeout: 3_000, requestTimeout: 5_000, connectionsCheckingInterval: 1_000 };
const mostConnections = 2_048;

/** `/healthz`, `/readyz`, `/metrics`, `/status`, on their own address. */
export class OperationsServer {
  readonly #server: Server;

  constructor(view: OperationsView) {
    this.#server = createServer(limits, (request, response) => {
      answer(view, request, response).catch(() => {
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    });
    this.#server.maxConnections = mostConnections;
  }

  /** Resolves to the port. Rejects with a `Failure` that says what is wrong with the address. */
  listen({ host, port }: ListenAddress): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const reason = error.code === 'EADDRINUSE' ? 'the port is already taken' : error.message;
        reject(
          new Failure('unavailable', `operations.address: cannot listen on ${host}:${port}: ${reason}`, {
            cause: error,
          }),
        );
      });
      this.#server.listen(port, host, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

async function answer(
  view: OperationsView,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://operations');
  const path = url?.pathname;
  if (path === '/rearm') return rearm(view, request, response, url?.searchParams.get('rule'));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return send(response, { status: 405, text: 'expected GET\n' });
  }
  if (path === '/healthz') return send(response, { status: 200, text: 'ok\n' });
  if (path === '/readyz') {
    const reason = view.notReadyBecause();
    return send(response, { status: reason === undefined ? 200 : 503, text: `${reason ?? 'ok'}\n` });
  }
  if (path === '/metrics') {
    const { contentType, text } = await view.metrics();
    return send(response, { status: 200, contentType, text });
  }
  if (path === '/status') {
    if (!isAllowed(view, request, response)) return;
    const text = `${JSON.stringify(view.status(), null, 2)}\n`;
    return send(response, { status: 200, contentType: 'application/json', text });
  }
  return send(response, { status: 404, text: 'expected /healthz, /readyz, /metrics or /status\n' });
}

/** False after having told the visitor so. */
function isAllowed(view: OperationsView, request: IncomingMessage, response: ServerResponse): boolean {
  const visitor = {
    remoteAddress: request.socket.remoteAddress,
    authorization: request.headers.authorization,
  };
  if (maySeeStatus(visitor, view.statusToken())) return true;
  response.setHeader('WWW-Authenticate', 'Bearer');
  send(response, { status: 401, text: 'expected a bearer token, or a request from loopback\n' });
  return false;
}

function rearm(
  view: OperationsView,
  request: IncomingMessage,
  response: ServerResponse,
  rule: string | null | undefined,
): void {
  if (request.method !== 'POST') {
    response.setHeader('Allow', 'POST');
    send(response, { status: 405, text: 'expected POST\n' });
  } else if (isAllowed(view, request, response)) {
    send(response, rearmed(view, rule ?? ''));
  }
}

function rearmed(view: OperationsView, rule: string): Reply {
  if (rule === '') return { status: 400, text: 'expected POST /rearm?rule=NAME, got no rule\n' };
  if (view.rearm(rule)) return { status: 200, text: 'armed again\n' };
  return { status: 404, text: 'expected a rule that is disarmed; /status names them\n' };
}

interface Reply {
  status: number;
  contentType?: string;
  text: string;
}

function send(
  response: ServerResponse,
  { status, contentType = 'text/plain; charset=utf-8', text }: Reply,
): void {
  response.writeHead(status, { 'Content-Type': contentType, 'X-Content-Type-Options': 'nosniff' });
  response.end(text);
}
