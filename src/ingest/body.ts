import type { IncomingMessage } from 'node:http';
import type { Overload } from '#src/ingest/overload.ts';

export interface BodyLimits {
  readonly mostBytes: number;
  readonly overload: Overload;
}

/** Exactly one of these is called, once. */
export interface BodyEnd {
  /** All of it is there. What it held is released. */
  complete(body: Buffer): void;
  /** It is larger than is taken. Nothing more is read. */
  tooLarge(): void;
  /** All bodies together are more than is taken. Nothing more is read. */
  shed(): void;
  /** The sender has gone, or was cut for being slow. */
  aborted(): void;
}

/** Receives a body, within its own limit and that of all bodies together. */
export function receiveBody(
  request: IncomingMessage,
  { mostBytes, overload }: BodyLimits,
  end: BodyEnd,
): void {
  let first: Buffer | undefined;
  let others: Buffer[] | undefined;
  let size = 0;
  let chunks = 0;
  let isOver = false;
  const finish = () => {
    isOver = true;
    overload.release(size);
  };
  request.on('data', (chunk: Buffer) => {
    if (isOver) return;
    const isTooLarge = size + chunk.length > mostBytes || ++chunks > mostChunks;
    if (isTooLarge || !overload.mayHold(chunk.length)) {
      finish();
      request.pause();
      if (isTooLarge) end.tooLarge();
      else end.shed();
      return;
    }
    size += chunk.length;
    overload.hold(chunk.length);
    if (first === undefined) first = chunk;
    else if (others === undefined) others = [first, chunk];
    else others.push(chunk);
  });
  request.on('end', () => {
    if (isOver) return;
    finish();
    end.complete(others === undefined ? (first ?? empty) : Buffer.concat(others, size));
  });
  request.on('error', () => {
    if (isOver) return;
    finish();
    end.aborted();
  });
}

/** Each costs more than its bytes: a body in pieces of one byte would cost a hundred times its size. */
const mostChunks = 16_384;
const empty = Buffer.alloc(0);
