import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import type { Encoding } from '#src/ingest/content-type.ts';

const decoders = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;

/** A body unpacks to more than is taken. */
export class UnpacksTooLarge extends Error {}

/** Bodies that are unpacked at once: what each may unpack to is held in memory. */
const mostAtOnce = 4;

/** Undoes the compression of bodies, a few at a time. */
export class Unpacker {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * Stops as soon as more than `mostBytes` have come out, however few went in. Rejects with `UnpacksTooLarge`, or with an
   * `Error` for what is not in that encoding.
   */
  async unpack(packed: Buffer, encoding: Exclude<Encoding, 'identity'>, mostBytes: number): Promise<Buffer> {
    if (this.#running >= mostAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await decoders[encoding](packed, { maxOutputLength: mostBytes });
    } catch (error) {
      const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
      throw isTooLarge ? new UnpacksTooLarge() : error;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
