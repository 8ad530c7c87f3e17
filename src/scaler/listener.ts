import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { Failure } from '#src/failure.ts';
import type { ListenAddress } from '#src/listen-address.ts';
import type { TlsMaterial } from '#src/tls/tls-files.ts';

export interface ListenerOptions {
  readonly address: ListenAddress;
  /** undefined: plain text. With a `ca`, clients must show a certificate. */
  readonly tls: TlsMaterial | undefined;
  /** A connection that is ready to speak HTTP/2: with TLS, after its handshake. */
  readonly onConnection: (socket: Socket | TLSSocket) => void;
  /** A connection could not be accepted, for want of file descriptors, say; the port stays open. */
  readonly onError: (error: Error) => void;
  /** A client that did not get through TLS: KEDA itself shows little of why. */
  readonly onHandshakeFailure: (reason: string, from: string) => void;
}

const handshakeTimeoutMs = 10_000;

/**
 * The port. It is ours and not grpc-js's, so that a taken port is one clear error, the TLS settings are all set here,
 * and a client is judged once, when it connects.
 */
export class Listener {
  readonly #address: ListenAddress;
  readonly #server: Server;
  readonly #tlsServer: TlsServer | undefined;
  readonly #onError: (error: Error) => void;
  readonly #sockets = new Set<Socket>();

  constructor({ address, tls, onConnection, onError, onHandshakeFailure }: ListenerOptions) {
    this.#address = address;
    this.#onError = onError;
    // The set keeps sockets that are still in their handshake, too.
    const keep = (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      // A connection that breaks has nobody to tell; its streams hear of the end.
      socket.on('error', () => {});
    };
    if (tls === undefined) {
      this.#server = createServer({ noDelay: true }, (socket) => {
        keep(socket);
        onConnection(socket);
      });
      return;
    }
    this.#tlsServer = createTlsServer({
      ...tls,
      requestCert: tls.ca !== undefined,
      rejectUnauthorized: true,
      ALPNProtocols: ['h2'],
      handshakeTimeout: handshakeTimeoutMs,
      noDelay: true,
    });
    this.#tlsServer.on('connection', keep);
    this.#tlsServer.on('tlsClientError', ({ message }, { remoteAddress = 'nowhere' }) =>
      onHandshakeFailure(message, remoteAddress),
    );
    this.#tlsServer.on('secureConnection', (socket) => {
      socket.on('error', () => {});
      onConnection(socket);
    });
    this.#server = this.#tlsServer;
  }

  /** The port. Throws `unavailable` for an address that cannot be had. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) => reject(cannotListen(this.#address, error));
      this.#server.once('error', onError);
      this.#server.listen(this.#address, () => {
        this.#server.off('error', onError);
        this.#server.on('error', this.#onError);
        const bound = this.#server.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : this.#address.port);
      });
    });
  }

  /** From now on handshakes use these; connections that stand are not touched. */
  useTls(material: TlsMaterial): void {
    this.#tlsServer?.setSecureContext(material);
  }

  /** Accepts nothing more; resolves when the connections that stand have ended. */
  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** Cuts what still stands. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function cannotListen({ host, port }: ListenAddress, error: NodeJS.ErrnoException): Failure {
  const reason =
    error.code === 'EADDRINUSE'
      ? 'the port is already taken; stop the other process or choose another port'
      : `${error.code ?? error.message}`;
  return new Failure('unavailable', `cannot listen for gRPC on ${host}:${port}: ${reason}`, { cause: error });
}
