import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { senders } from '#src/alerts/alert.ts';
import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import { receiveBody } from '#src/ingest/body.ts';
import { bodyType, type Encoding } from '#src/ingest/content-type.ts';
import type { Credentials } from '#src/ingest/credentials.ts';
import { Delivery } from '#src/ingest/delivery.ts';
import type { Intake } from '#src/ingest/intake.ts';
import { LoopLag } from '#src/ingest/loop-lag.ts';
import { MinuteLog } from '#src/ingest/minute-log.ts';
import type { IngestObserver } from '#src/ingest/observer.ts';
import { Overload, type OverloadLimits } from '#src/ingest/overload.ts';
import { type Refusal, refusals, refuse } from '#src/ingest/refusals.ts';
import type { Sensors } from '#src/ingest/sensors.ts';
import { Unpacker, UnpacksTooLarge } from '#src/ingest/unpack.ts';
import { Visits } from '#src/ingest/visits.ts';
import type { ListenAddress } from '#src/listen-address.ts';
import type { Log } from '#src/log.ts';
import { HandshakeLog } from '#src/tls/handshake-log.ts';
import type { TlsFiles } from '#src/tls/tls-files.ts';
import { TlsWatch } from '#src/tls/tls-watch.ts';

export interface IngestServerOptions {
  readonly credentials: Credentials;
  readonly sensors: Sensors;
  readonly intake: Intake;
  readonly observer: IngestObserver;
  readonly clock: Clock;
  readonly log: Log;
  /** undefined: plain text. With a CA a client may show a certificate, as one form of credential. */
  readonly tls?: TlsFiles | undefined;
  /** From where on it sheds; for tests. */
  readonly overload?: Partial<OverloadLimits> | undefined;
}

/**
 * A sender that stalls is cut within seconds. Idle connections may stand for long: every node's Falco keeps one, and
 * opening another with each alert costs more than holding it.
 */
const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 120_000,
  connectionsCheckingInterval: 1_000,
};
const mostConnections = 8_192;
const mostBytes = { one: 256 * 1024, batch: 4 * 1024 * 1024 };
const drainMs = 2_000;

/** `POST /ingest/falco`, `/ingest/sysdig`, `/ingest/alertmanager` and `/ingest/fluentbit`, on their own address. */
export class IngestServer {
  readonly #options: IngestServerOptions;
  readonly #visits: Visits;
  readonly #overload: Overload;
  readonly #delivery: Delivery;
  readonly #warnings: MinuteLog;
  readonly #lag = new LoopLag();
  readonly #unpacker = new Unpacker();
  #tlsWatch: TlsWatch | undefined;
  #server: Server | undefined;

  constructor(options: IngestServerOptions) {
    const { credentials, sensors, intake, observer, clock, log } = options;
    this.#options = options;
    this.#visits = new Visits(credentials, sensors);
    this.#warnings = new MinuteLog(log, clock);
    this.#overload = new Overload(
      { lagMs: () => this.#lag.ms, backlog: () => intake.backlog },
      options.overload,
    );
    this.#delivery = new Delivery({ intake, observer, clock, warnings: this.#warnings });
  }

  /** Resolves to the port. Rejects with a `Failure` that says what is wrong with the address or a TLS file. */
  async listen({ host, port }: ListenAddress): Promise<number> {
    const server = await this.#create();
    this.#server = server;
    server.maxConnections = mostConnections;
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        const reason = error.code === 'EADDRINUSE' ? 'the port is already taken' : error.message;
        reject(
          new Failure('unavailable', `ingest.address: cannot listen on ${host}:${port}: ${reason}`, {
            cause: error,
          }),
        );
      });
      server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
    });
  }

  /** Looks at the TLS files now, as happens every 10 s anyway. */
  async reloadTls(): Promise<void> {
    await this.#tlsWatch?.look();
  }

  /** Accepts nothing more, answers what is being received, and makes durable what was counted. Never rejects. */
  async drain(): Promise<void> {
    const { clock, intake } = this.#options;
    this.#tlsWatch?.close();
    this.#lag.stop();
    const server = this.#server;
    if (server !== undefined) {
      await new Promise<void>((resolve) => {
        const stopTimer = clock.after(drainMs, resolve);
        server.close(() => {
          stopTimer();
          resolve();
        });
      });
      server.closeAllConnections();
    }
    await intake.flush().catch(() => {});
  }

  async #create(): Promise<Server> {
    const { tls, clock, log } = this.#options;
    const onRequest = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response);
    if (tls === undefined) return createServer(limits, onRequest);
    this.#tlsWatch = new TlsWatch({
      files: tls,
      clock,
      log,
      onChange: (material) => server.setSecureContext(material),
    });
    const material = await this.#tlsWatch.start();
    const asked = { requestCert: material.ca !== undefined, rejectUnauthorized: false };
    const server = createTlsServer({ ...limits, ...material, ...asked }, onRequest);
    const handshakes = new HandshakeLog(log, clock);
    server.on('tlsClientError', ({ message }, { remoteAddress = 'nowhere' }) =>
      handshakes.failed(message, remoteAddress),
    );
    return server;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const visit = this.#visits.admit(request);
    if ('status' in visit) {
      this.#refuse(request, response, visit);
      return;
    }
    const { sender } = visit;
    const isOne = sender === 'falco';
    const turnAway = (refusal: Refusal) => this.#refuse(request, response, refusal);
    const shed = (reason: string) => {
      this.#options.observer.counted(sender, 'shed', 1);
      this.#warnings.warn('shed', 'alerts are shed', () => ({ reason }));
      turnAway(refusals.overloaded);
    };

    const { isJson, encoding } = bodyType(request.headers);
    const length = Number(request.headers['content-length'] ?? 0);
    const most = isOne ? mostBytes.one : mostBytes.batch;
    const reason = this.#overload.reasonToShed(length, !isOne);
    if (!isJson || encoding === undefined || length > most || reason !== undefined) {
      if (!isJson) turnAway(refusals.wrongType);
      else if (encoding === undefined) turnAway(refusals.wrongEncoding);
      else if (length > most) turnAway(refusals.tooLarge);
      else shed(reason ?? '');
      return;
    }
    receiveBody(
      request,
      { mostBytes: most, overload: this.#overload },
      {
        complete: (body) => {
          const take = (text: string) => this.#delivery.take(text, { visit, request, response });
          if (encoding === 'identity') take(body.toString());
          else this.#unpack(body, { encoding, most, take, turnAway });
        },
        tooLarge: () => turnAway(refusals.tooLarge),
        shed: () => shed('too many bytes are being received'),
        aborted: () => {},
      },
    );
  }

  async #unpack(body: Buffer, { encoding, most, take, turnAway }: Packed): Promise<void> {
    try {
      take((await this.#unpacker.unpack(body, encoding, most)).toString());
    } catch (error) {
      turnAway(error instanceof UnpacksTooLarge ? refusals.tooLarge : refusals.wrongEncoding);
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    const { clock, observer } = this.#options;
    refuse(request, response, { refusal, clock });
    const path = request.url?.split('?', 1)[0];
    const sender = senders.find((one) => path === `/ingest/${one}`);
    if (sender !== undefined) observer.answered(sender, refusal.status);
    this.#warnings.warn(refusal.reason, 'requests with alerts are refused', () => ({
      reason: refusal.reason,
      sender,
      from: request.socket.remoteAddress,
    }));
  }
}

interface Packed {
  readonly encoding: Exclude<Encoding, 'identity'>;
  readonly most: number;
  readonly take: (text: string) => void;
  readonly turnAway: (refusal: Refusal) => void;
}
