import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate with its key, PEM. */
export interface Pair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface Subject {
  readonly commonName?: string;
  /** As openssl writes them: `DNS:localhost`, `URI:spiffe://cluster/keda`, `IP:127.0.0.1`. */
  readonly alternativeNames?: readonly string[];
}

/** A certificate authority for tests, made by openssl in a directory of its own. */
export class Authority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'authority-'));
  readonly cert: Buffer;
  #serial = 1;

  constructor(commonName = 'test authority') {
    this.#openssl(
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ['-subj', `/CN=${commonName}`, '-keyout', 'ca.key', '-out', 'ca.crt'],
    );
    this.cert = this.#read('ca.crt');
  }

  /** For a server on this machine. */
  server(): Pair {
    return this.issue({ commonName: 'scaler', alternativeNames: ['DNS:localhost', 'IP:127.0.0.1'] });
  }

  issue({ commonName, alternativeNames = [] }: Subject): Pair {
    const name = `leaf${this.#serial++}`;
    const subject = commonName === undefined ? '/' : `/CN=${commonName}`;
    this.#openssl(
      ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', subject],
      ['-keyout', `${name}.key`, '-out', `${name}.csr`],
    );
    const names = alternativeNames.length > 0 ? `subjectAltName=${alternativeNames.join(',')}\n` : '';
    writeFileSync(join(this.#directory, `${name}.ext`), `basicConstraints=CA:FALSE\n${names}`);
    this.#openssl(
      ['x509', '-req', '-days', '2', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', `${this.#serial}`],
      ['-in', `${name}.csr`, '-extfile', `${name}.ext`, '-out', `${name}.crt`],
    );
    return { cert: this.#read(`${name}.crt`), key: this.#read(`${name}.key`) };
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #read(file: string): Buffer {
    return readFileSync(join(this.#directory, file));
  }

  #openssl(...parts: string[][]): void {
    execFileSync('openssl', parts.flat(), { cwd: this.#directory, stdio: 'pipe' });
  }
}
