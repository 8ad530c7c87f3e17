import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { externalScaler } from '#src/scaler/proto.ts';
import type { ScaledObjectRef } from '#src/triggers/parse-trigger.ts';

const { path, requestSerialize, responseSerialize } = externalScaler.StreamIsActive;
const active = framed(responseSerialize({ result: true }));

/** Many push streams on one connection, read by node:http2 alone, so that little of what is measured is the client's. */
export class Watchers {
  readonly #session: ClientHttp2Session;
  #streams: ClientHttp2Stream[] = [];
  #waiting = 0;
  #allPushed = Promise.withResolvers<number>();

  /** `address`: `host:port` */
  constructor(address: string) {
    this.#session = connect(`http://${address}`);
  }

  /** Resolves when the server has accepted a stream for each. */
  async open(refs: readonly ScaledObjectRef[]): Promise<void> {
    this.#waiting = refs.length;
    this.#allPushed = Promise.withResolvers();
    this.#streams = refs.map((ref) => this.#open(ref));
    await Promise.all(
      this.#streams.map((stream) => new Promise<void>((resolve) => stream.once('response', () => resolve()))),
    );
  }

  /** When the first message of the last stream came, as of `performance.now()`. */
  lastPush(): Promise<number> {
    return this.#allPushed.promise;
  }

  endAll(): void {
    for (const stream of this.#streams) stream.close();
  }

  close(): void {
    this.#session.close();
  }

  #open(ref: ScaledObjectRef): ClientHttp2Stream {
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.once('data', (chunk: Buffer) => {
      const at = performance.now();
      if (!chunk.equals(active))
        this.#allPushed.reject(new Error(`expected true, got ${chunk.toString('hex')}`));
      else if (--this.#waiting === 0) this.#allPushed.resolve(at);
    });
    stream.on('error', (error) => this.#allPushed.reject(error));
    stream.end(framed(requestSerialize(ref)));
    return stream;
  }
}

/** A message as gRPC sends it: not compressed, with its length. */
function framed(message: Buffer): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, 5);
  return frame;
}
