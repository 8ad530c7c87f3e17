import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { Failure } from '#src/failure.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  /** The server's certificate, with its chain. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Given: a client must show a certificate that these sign. */
  readonly clientCaFile?: string | undefined;
}

/** What the files hold, ready for a TLS server. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer | undefined;
  readonly minVersion: 'TLSv1.2';
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Reads the files as they are now. Throws `invalid`, naming the file, when one cannot be read. */
export async function readTlsFiles(files: TlsFiles): Promise<TlsMaterial> {
  const [cert, key, ca] = await Promise.all([
    read(files.certFile),
    read(files.keyFile),
    files.clientCaFile === undefined ? undefined : read(files.clientCaFile),
  ]);
  return { cert, key, ca, minVersion: 'TLSv1.2' };
}

/**
 * Throws `invalid`, naming the file, unless all of it holds and belongs together. A server would take much of what is
 * wrong here without a word, and then fail every handshake.
 */
export function checkTlsMaterial(material: TlsMaterial, files: TlsFiles): void {
  const certificate = certificates(material.cert, files.certFile)[0] as X509Certificate;
  if (!certificate.checkPrivateKey(privateKey(material.key, files.keyFile))) {
    throw new Failure(
      'invalid',
      `${files.keyFile}: expected the private key of ${files.certFile}, got another`,
    );
  }
  if (material.ca !== undefined && files.clientCaFile !== undefined)
    certificates(material.ca, files.clientCaFile);
  try {
    createSecureContext(material);
  } catch (error) {
    throw new Failure('invalid', `${files.certFile}: expected a certificate that TLS accepts`, {
      cause: error,
    });
  }
}

export function sameMaterial(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key) && (a.ca && b.ca ? a.ca.equals(b.ca) : a.ca === b.ca);
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new Failure('invalid', `${file}: expected a PEM file for TLS, got ${reason}`, { cause: error });
  }
}

function certificates(pem: Buffer, file: string): X509Certificate[] {
  try {
    const found = (pem.toString('latin1').match(pemCertificate) ?? []).map((one) => new X509Certificate(one));
    if (found.length > 0) return found;
  } catch {
    // Said below.
  }
  throw new Failure('invalid', `${file}: expected PEM certificates, got something else or a part of one`);
}

/** What OpenSSL says of a broken key stays inside: nothing of a key goes into a message. */
function privateKey(pem: Buffer, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Failure('invalid', `${file}: expected an unencrypted PEM private key, got something else`);
  }
}
