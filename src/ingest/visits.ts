import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { senders } from '#src/alerts/alert.ts';
import type { Credential, Credentials } from '#src/ingest/credentials.ts';
import type { Speaker } from '#src/ingest/intake.ts';
import { type Refusal, refusals } from '#src/ingest/refusals.ts';
import type { Sensor, Sensors } from '#src/ingest/sensors.ts';
import { clientNames } from '#src/tls/client-names.ts';

/** A sender that has been let in on its connection. */
export interface Visit extends Speaker {
  readonly credential: Credential;
  readonly sensor: Sensor;
}

interface Remembered {
  readonly visit: Visit;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  /** What the credential's token was then; a rotation counts at once. Undefined: it was not the token that opened. */
  readonly token: string | undefined;
}

/**
 * Lets senders in. What was accepted on a connection is remembered with it: a keep-alive request that shows the same again
 * costs two comparisons of texts, no hash.
 */
export class Visits {
  readonly #credentials: Credentials;
  readonly #sensors: Sensors;
  readonly #remembered = new WeakMap<Socket, Remembered>();

  constructor(credentials: Credentials, sensors: Sensors) {
    this.#credentials = credentials;
    this.#sensors = sensors;
  }

  admit(request: IncomingMessage): Visit | Refusal {
    const { method, url, headers, socket } = request;
    const seen = this.#remembered.get(socket);
    if (
      seen !== undefined &&
      seen.url === url &&
      seen.authorization === headers.authorization &&
      (seen.token === undefined || seen.token === seen.visit.credential.token()) &&
      (method === 'POST' || method === 'PUT')
    ) {
      return seen.visit;
    }
    return this.#meet(request);
  }

  #meet({ method, url = '', headers, socket }: IncomingMessage): Visit | Refusal {
    const questionMark = url.indexOf('?');
    const path = questionMark < 0 ? url : url.slice(0, questionMark);
    const sender = senders.find((one) => path === `/ingest/${one}`);
    if (sender === undefined) return refusals.unknownPath;
    if (method !== 'POST' && method !== 'PUT') return refusals.wrongMethod;
    const { authorization } = headers;
    const query = sender === 'falco' && questionMark >= 0 ? url.slice(questionMark + 1) : '';
    const token = bearerToken(authorization) ?? tokenInQuery(query);
    const identified = this.#credentials.identify({ token, clientNames: verifiedNames(socket) });
    if (identified === undefined) return refusals.unauthenticated;
    const { credential } = identified;
    if (credential.senders !== undefined && !credential.senders.includes(sender))
      return refusals.forbiddenSender;
    const visit: Visit = {
      sender,
      credential,
      namespaces: credential.namespaces && new Set(credential.namespaces),
      sensor: this.#sensors.of(sender, credential.name),
    };
    this.#remembered.set(socket, { visit, url, authorization, token: identified.token });
    return visit;
  }
}

function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1];
}

/** Falco can send no header of its own (falco#1322). */
function tokenInQuery(query: string): string | undefined {
  return query === '' ? undefined : (new URLSearchParams(query).get('token') ?? undefined);
}

/** A session that is resumed may be authorized without a certificate; then there are no names either. */
function verifiedNames(socket: Socket): readonly string[] {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return noNames;
  const certificate = socket.getPeerCertificate();
  return certificate && Object.keys(certificate).length > 0 ? clientNames(certificate) : noNames;
}

const noNames: readonly string[] = [];
