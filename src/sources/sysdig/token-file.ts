import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import type { Credential } from '#src/sources/sysdig/credential.ts';
import { WatchedFile } from '#src/watched-file.ts';

export interface SecretFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A Monitor API token in a file, watched and read again. */
export class TokenFile implements Credential {
  readonly #file: WatchedFile;

  constructor(options: SecretFileOptions) {
    this.#file = new WatchedFile({ ...options, holds: 'the Sysdig API token', absence: 'unauthenticated' });
  }

  get version(): number {
    return this.#file.version;
  }

  async headers(): Promise<Record<string, string>> {
    return { authorization: `Bearer ${secretIn(this.#file)}` };
  }

  renew(): Promise<boolean> {
    return this.#file.look();
  }

  close(): void {
    this.#file.close();
  }
}

/** The file's text where it can be a secret: one word of ASCII, or it could not stand in a header. Throws `unauthenticated`. */
export function secretIn(file: WatchedFile): string {
  const { text } = file;
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new Failure(
    'unauthenticated',
    `${file.path}: expected one word of visible ASCII characters, got ${text.length} characters with others among them; write the secret alone into the file`,
  );
}
