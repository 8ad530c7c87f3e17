import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';

const decoders = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
} as const;

/** What we offer to decode. */
export const acceptEncoding = 'gzip, br';

/** A body is larger than was allowed, compressed or not. */
export class BodyTooLarge extends Error {}

/**
 * A body as text, its content encoding undone. undici's own interceptor for this warns on the console that it is
 * experimental (undici 8). Rejects with `BodyTooLarge`, however small the bytes that unpack to it, and with an `Error`
 * for an encoding that was never offered.
 */
export async function decodeBody(
  bytes: Uint8Array,
  encoding: string | undefined,
  maxBytes: number,
): Promise<string> {
  if (bytes.length > maxBytes) throw new BodyTooLarge();
  const name = encoding?.trim().toLowerCase() || 'identity';
  if (name === 'identity' || bytes.length === 0) return new TextDecoder().decode(bytes);
  if (!Object.hasOwn(decoders, name))
    throw new Error(`a body in the encoding ${JSON.stringify(name.slice(0, 40))}`);
  try {
    const plain = await decoders[name as keyof typeof decoders](bytes, { maxOutputLength: maxBytes });
    return new TextDecoder().decode(plain);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw new BodyTooLarge();
    throw new Error(`a body that is no valid ${name}`, { cause: error });
  }
}
