import { hash, timingSafeEqual } from 'node:crypto';
import type { Sender } from '#src/alerts/alert.ts';

/** Who may raise alerts, and about what. */
export interface Credential {
  readonly name: string;
  /** The token as it is now; undefined while there is none. Read at each request, as its file may change. */
  token(): string | undefined;
  /** The client certificates (SAN or CN) that count as this credential. */
  readonly clientNames?: readonly string[] | undefined;
  /** The namespaces that it may raise alerts about; undefined: all. */
  readonly namespaces?: readonly string[] | undefined;
  /** The paths that it opens; undefined: all. */
  readonly senders?: readonly Sender[] | undefined;
}

/** What a request shows. */
export interface Evidence {
  readonly token: string | undefined;
  /** Of a certificate that our CA has signed; empty without one. */
  readonly clientNames: readonly string[];
}

/** Whose evidence it was. */
export interface Identified {
  readonly credential: Credential;
  /** The token that opened; undefined where none was needed. */
  readonly token: string | undefined;
}

/** Everybody, where no credential is configured: this machine alone, unless the operator has said otherwise. */
export const anonymous: Credential = { name: 'anonymous', token: () => undefined };

/** Finds whose evidence it is. */
export class Credentials {
  readonly #credentials: readonly Credential[];
  readonly #digests = new Map<string, Digested>();

  constructor(credentials: readonly Credential[]) {
    this.#credentials = credentials;
  }

  /**
   * The credential that the evidence belongs to. A token goes before a certificate: a proxy may hold the certificate for
   * several senders. Every token is compared, in the same time whatever was guessed.
   */
  identify({ token, clientNames }: Evidence): Identified | undefined {
    if (this.#credentials.length === 0) return { credential: anonymous, token: undefined };
    const byToken = token === undefined ? undefined : this.#byToken(token);
    if (byToken !== undefined) return { credential: byToken, token };
    const byName = this.#credentials.find((one) =>
      one.clientNames?.some((name) => clientNames.includes(name)),
    );
    return byName && { credential: byName, token: undefined };
  }

  #byToken(token: string): Credential | undefined {
    const given = digest(token);
    let found: Credential | undefined;
    for (const credential of this.#credentials) {
      const isIt = timingSafeEqual(given, this.#digestOf(credential));
      if (isIt && found === undefined) found = credential;
    }
    return found;
  }

  #digestOf(credential: Credential): Buffer {
    const token = credential.token();
    if (token === undefined || token === '') return noToken;
    let known = this.#digests.get(credential.name);
    if (known?.token !== token) {
      known = { token, digest: digest(token) };
      this.#digests.set(credential.name, known);
    }
    return known.digest;
  }
}

interface Digested {
  readonly token: string;
  readonly digest: Buffer;
}

/** No text has this digest. */
const noToken = Buffer.alloc(32);

/** Equal lengths, so that the comparison takes the same time for any guess. */
function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
