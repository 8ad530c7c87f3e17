import type { TLSSocket } from 'node:tls';
import { Failure } from '#src/failure.ts';
import type { Asker } from '#src/sources/source.ts';
import { clientNames } from '#src/tls/client-names.ts';

/** What a gRPC call knows of its connection. */
export interface PeerOfCall {
  getAuthContext(): { sslPeerCertificate?: object | undefined };
}

const stranger: Asker = { authenticated: false };
const known: Asker = { authenticated: true };

/**
 * Who is at the other end. Without client certificates everybody is a stranger; with them, TLS has verified the
 * certificate before a connection gets here, and the list of names decides. A refused peer keeps its connection and is
 * told so by each call, where KEDA can show it.
 */
export class Peers {
  readonly #certificatesRequired: boolean;
  readonly #allowedNames: ReadonlySet<string> | undefined;
  readonly #verdicts = new WeakMap<object, Asker | Failure>();

  /** `allowedNames`: compared exactly; undefined lets every verified client in. */
  constructor(certificatesRequired: boolean, allowedNames: readonly string[] | undefined) {
    this.#certificatesRequired = certificatesRequired;
    this.#allowedNames = allowedNames && new Set(allowedNames);
  }

  /**
   * Judges a connection once. Asking OpenSSL for the certificate with every call, as grpc-js would, costs more than
   * all the rest of a call, so the socket answers with the one object from now on, and the verdict hangs on that.
   */
  judge(socket: TLSSocket): void {
    if (!this.#certificatesRequired) return;
    const certificate = socket.getPeerCertificate();
    socket.getPeerCertificate = (() => certificate) as typeof socket.getPeerCertificate;
    this.#verdicts.set(
      certificate,
      socket.authorized ? this.#verdict(clientNames(certificate)) : unverified(),
    );
  }

  /** Throws `permission-denied` for a client that is not on the list. */
  askerOf(call: PeerOfCall): Asker {
    if (!this.#certificatesRequired) return stranger;
    const certificate = call.getAuthContext().sslPeerCertificate;
    const verdict = certificate && this.#verdicts.get(certificate);
    if (verdict === undefined) throw unverified();
    if (verdict instanceof Failure) throw verdict;
    return verdict;
  }

  #verdict(names: readonly string[]): Asker | Failure {
    if (this.#allowedNames === undefined) return known;
    if (names.some((name) => this.#allowedNames?.has(name))) return known;
    const got = names.length === 0 ? 'no name' : names.slice(0, 5).map(short).join(', ');
    return new Failure(
      'permission-denied',
      `client certificate: expected one of the allowed client names, got ${got}; add it to the list or use another certificate`,
    );
  }
}

function short(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}

function unverified(): Failure {
  return new Failure('permission-denied', 'client certificate: expected a verified one, got none');
}
