import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { bytesOf, type FakeReply, replies } from '#test/harness/sysdig-replies.ts';

export interface FakeRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** The fields of a form; empty for other bodies. */
  readonly form: Readonly<Record<string, string>>;
  /** The parsed body; undefined where it is no JSON. */
  readonly json: unknown;
}

/** Undefined: the fake answers as it does unasked. */
export type Respond = (request: FakeRequest) => FakeReply | undefined | Promise<FakeReply | undefined>;

export interface SysdigFakeOptions {
  /** The Bearer token that opens it. Default `monitor-token`; undefined: any. */
  readonly token?: string | undefined;
  readonly respond?: Respond;
  /** Before every answer. */
  readonly delayMs?: number;
  /** X-RateLimit-Limit on every answer. Default 600. */
  readonly rateLimit?: number;
  /** Keeps every request in `requests`. Default true; a benchmark only counts. */
  readonly record?: boolean;
  /** Serves https. */
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer };
  /** The metrics that both listings name. */
  readonly metrics?: readonly string[];
}

/** Starts a server that behaves as Sysdig's API does, with its quirks, on a free port of 127.0.0.1. */
export async function startSysdigFake(options: SysdigFakeOptions = {}): Promise<SysdigFake> {
  const fake = new SysdigFake(options);
  await fake.listen();
  return fake;
}

export class SysdigFake {
  readonly requests: FakeRequest[] = [];
  /** Requests by path, whether recorded or not. */
  readonly counts = new Map<string, number>();
  /** Opened so far. */
  connections = 0;
  delayMs: number;
  /** The token it takes from now on. */
  token: string | undefined;
  metrics: readonly string[];
  readonly #options: SysdigFakeOptions;
  readonly #server: Server;
  #respond: Respond | undefined;

  constructor(options: SysdigFakeOptions) {
    this.#options = options;
    this.#respond = options.respond;
    this.delayMs = options.delayMs ?? 0;
    this.token = 'token' in options ? options.token : 'monitor-token';
    this.metrics = options.metrics ?? ['net.bytes.in', 'cpu.used.percent'];
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      void this.#handle(request, response);
    };
    this.#server = options.tls ? createTlsServer(options.tls, handle) : createServer(handle);
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', () => {
      this.connections++;
    });
  }

  get baseUrl(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#options.tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Scripts the answers from now on: one function, or replies in turn of which the last repeats. */
  answer(...script: [Respond] | FakeReply[]): void {
    const [first] = script;
    if (typeof first === 'function') {
      this.#respond = first;
      return;
    }
    const turns = script as FakeReply[];
    let turn = 0;
    this.#respond = () => turns[Math.min(turn++, turns.length - 1)];
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => resolve());
    });
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await read(incoming);
    this.counts.set(request.path, (this.counts.get(request.path) ?? 0) + 1);
    if (this.#options.record !== false) this.requests.push(request);
    const reply = this.#refusal(request) ?? (await this.#respond?.(request)) ?? this.#unasked(request);
    const delayMs = this.delayMs + (reply.delayMs ?? 0);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
    if (reply.hang === 'head') return;
    const bytes = bytesOf(reply);
    response.writeHead(reply.status ?? 200, {
      'content-type': 'application/json',
      'content-length': bytes.length,
      'x-ratelimit-limit': String(this.#options.rateLimit ?? 600),
      ...reply.headers,
    });
    if (reply.hang === 'body') response.write(bytes.subarray(0, bytes.length >> 1));
    else response.end(bytes);
  }

  #refusal({ path, headers }: FakeRequest): FakeReply | undefined {
    if (path === '/identity/token' || this.token === undefined) return undefined;
    return headers.authorization === `Bearer ${this.token}` ? undefined : replies.unauthorized(path);
  }

  #unasked(request: FakeRequest): FakeReply {
    const { path, query, json } = request;
    if (path === '/prometheus/api/v1/query') return replies.vector([{ value: 1 }]);
    if (path === '/prometheus/api/v1/label/__name__/values') {
      return { body: { status: 'success', data: this.metrics.map((name) => name.replaceAll('.', '_')) } };
    }
    if (path.startsWith('/prometheus/')) return replies.gone();
    if (path === '/api/data/') return replies.data([[Math.floor(Date.now() / 1000), [1]]]);
    if (path === '/api/data/batch') return { body: { responses: batch(json) } };
    if (path === '/api/v2/metrics/descriptors') return { body: this.#descriptors(query) };
    if (path === '/identity/token')
      return replies.iamToken(this.token ?? 'iam-token', Date.now() + 3_600_000);
    return replies.notFound();
  }

  #descriptors({ offset = '0', limit = '100', filter = '' }: FakeRequest['query']): object {
    const matching = this.metrics.filter((name) => name.includes(filter));
    const page = matching.slice(Number(offset), Number(offset) + Number(limit));
    const metricDescriptors = page.map((id) => ({
      id,
      metricType: 'gauge',
      type: 'double',
      timeAggregations: ['avg', 'sum'],
      groupAggregations: ['avg', 'sum'],
      canMonitor: true,
    }));
    return { total: matching.length, offset: Number(offset), metricDescriptors };
  }
}

async function read(incoming: IncomingMessage): Promise<FakeRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const url = new URL(incoming.url ?? '/', 'http://fake');
  const isForm = incoming.headers['content-type']?.includes('x-www-form-urlencoded') ?? false;
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: incoming.headers,
    form: isForm ? Object.fromEntries(new URLSearchParams(body)) : {},
    json: isForm ? undefined : parsed(body),
  };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** 200 for the whole, whatever became of its items: those without metrics carry their own errors. */
function batch(json: unknown): object[] {
  const { requests = [] } = Object(json) as { requests?: { metrics?: unknown[] }[] };
  return requests.map(({ metrics = [] }) => {
    if (metrics.length === 0)
      return { errors: [{ reason: 'Bad request', message: 'metrics must not be empty' }] };
    return replies.data([[Math.floor(Date.now() / 1000), metrics.map(() => 1)]]).body as object;
  });
}
