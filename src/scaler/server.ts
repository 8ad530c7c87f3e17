import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { ListenAddress } from '#src/listen-address.ts';
import type { Log } from '#src/log.ts';
import type { Answers, CallOutcomes } from '#src/scaler/answers.ts';
import { buildGrpcServer } from '#src/scaler/grpc-server.ts';
import { Health } from '#src/scaler/health.ts';
import { Listener } from '#src/scaler/listener.ts';
import type { CallObserver } from '#src/scaler/observer.ts';
import { OpenStreams } from '#src/scaler/open-streams.ts';
import { Peers } from '#src/scaler/peers.ts';
import { streamCalls } from '#src/scaler/stream-calls.ts';
import { unaryCalls } from '#src/scaler/unary-calls.ts';
import { HandshakeLog } from '#src/tls/handshake-log.ts';
import type { TlsFiles } from '#src/tls/tls-files.ts';
import { TlsWatch } from '#src/tls/tls-watch.ts';

export interface ServerTls extends TlsFiles {
  /** DNS, URI or common names of client certificates, compared exactly; undefined: every verified client. */
  readonly allowedNames?: readonly string[] | undefined;
}

export interface ScalerServerOptions {
  readonly address: ListenAddress;
  /** undefined: plain text. */
  readonly tls?: ServerTls | undefined;
  readonly answers: Answers;
  readonly observer: CallObserver;
  readonly outcomes: CallOutcomes;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1; Math.random unless told. */
  readonly random?: (() => number) | undefined;
}

/** Answers take 2 s; what is not over by then is cut, so that a drain stays well under 10 s. */
const drainMs = 5_000;

/** The gRPC face: KEDA's five calls, health and reflection on one port. */
export class ScalerServer {
  readonly #options: ScalerServerOptions;
  readonly #health = new Health();
  readonly #streams: OpenStreams;
  readonly #peers: Peers;
  readonly #grpc: ReturnType<typeof buildGrpcServer>;
  #listener: Listener | undefined;
  #tlsWatch: TlsWatch | undefined;
  #drained: Promise<void> | undefined;

  /** Throws `invalid` for allowed names without a CA: nobody's name could be known. */
  constructor(options: ScalerServerOptions) {
    const { tls, clock, observer, random = Math.random } = options;
    if (tls?.allowedNames !== undefined && tls.clientCaFile === undefined) {
      throw new Failure('invalid', 'allowed client names: expected a client CA file beside them, got none');
    }
    this.#options = options;
    this.#streams = new OpenStreams({ clock, random, observer });
    this.#peers = new Peers(tls?.clientCaFile !== undefined, tls?.allowedNames);
    const face = {
      ...options,
      random,
      streams: this.#streams,
      askerOf: this.#peers.askerOf.bind(this.#peers),
    };
    this.#grpc = buildGrpcServer({
      calls: { ...unaryCalls(face), ...streamCalls(face) },
      health: this.#health,
      streams: this.#streams,
    });
  }

  /** Streams that are open now, health watches and reflection included. */
  get openStreams(): number {
    return this.#streams.size;
  }

  /** Opens the port and tells which it is. Throws a `Failure` for a taken port or a TLS file that cannot be used. */
  async listen(): Promise<number> {
    const { address, tls, clock, log } = this.#options;
    const injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#tlsWatch =
      tls &&
      new TlsWatch({ files: tls, clock, log, onChange: (material) => this.#listener?.useTls(material) });
    try {
      const handshakes = new HandshakeLog(log, clock);
      this.#listener = new Listener({
        address,
        tls: await this.#tlsWatch?.start(),
        onConnection: (socket: Socket | TLSSocket) => {
          if (socket instanceof TLSSocket) this.#peers.judge(socket);
          injector.injectConnection(socket);
        },
        onHandshakeFailure: (reason, from) => handshakes.failed(reason, from),
        onError: (error) => log.error({ error: error.message }, 'cannot accept a gRPC connection'),
      });
      const port = await this.#listener.listen();
      this.setServing(true);
      return port;
    } catch (thrown) {
      this.#tlsWatch?.close();
      this.#grpc.forceShutdown();
      throw thrown;
    }
  }

  /** What health checks are told, until the drain. Listening sets it. */
  setServing(isServing: boolean): void {
    this.#health.set(isServing && this.#drained === undefined);
  }

  /** Looks at the TLS files now, as happens every 10 s anyway. */
  async reloadTls(): Promise<void> {
    await this.#tlsWatch?.look();
  }

  /**
   * Ends everything in under 10 s: health says so, nothing new is accepted, streams end with OK, calls are finished,
   * and what is left after 5 s is cut. Never rejects; a second call waits for the first.
   */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    const { clock } = this.#options;
    this.#health.set(false);
    const ended = this.#listener?.stop();
    this.#tlsWatch?.close();
    // First: a connection stands for as long as one of its streams.
    this.#streams.drain();
    // Says GOAWAY. Its callback comes too early: it waits for grpc-js's own listeners, and the port is ours.
    this.#grpc.tryShutdown(() => {});
    await new Promise<void>((resolve) => {
      const stopTimer = clock.after(drainMs, resolve);
      Promise.resolve(ended).then(() => {
        stopTimer();
        resolve();
      });
    });
    this.#grpc.forceShutdown();
    this.#listener?.destroy();
  }
}
