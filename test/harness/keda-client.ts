import { isIP } from 'node:net';
import {
  type ClientReadableStream,
  credentials,
  Metadata,
  makeGenericClientConstructor,
  type requestCallback,
  type ServiceError,
} from '@grpc/grpc-js';
import type { ExternalScalerClient } from '#src/scaler/generated/externalscaler/ExternalScaler.ts';
import type { GetMetricSpecResponse__Output } from '#src/scaler/generated/externalscaler/GetMetricSpecResponse.ts';
import type { GetMetricsResponse__Output } from '#src/scaler/generated/externalscaler/GetMetricsResponse.ts';
import type { IsActiveResponse__Output } from '#src/scaler/generated/externalscaler/IsActiveResponse.ts';
import { externalScaler } from '#src/scaler/proto.ts';
import type { ScaledObjectRef } from '#src/triggers/parse-trigger.ts';

export interface KedaTls {
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** The name to ask for and to check; needed only where the address holds an IP, for which it is `localhost`. */
  readonly serverName?: string;
}

const ExternalScaler = makeGenericClientConstructor(externalScaler, 'ExternalScaler');

/** Calls the scaler as KEDA does: one connection, round_robin, no deadline, no keepalive. */
export class KedaClient {
  readonly #client: ExternalScalerClient;

  /** `address`: `host:port`. Clients never share a connection. Without `tls`: plain text. */
  constructor(address: string, tls?: KedaTls) {
    const creds = tls
      ? credentials.createSsl(tls.ca, tls.key ?? null, tls.cert ?? null)
      : credentials.createInsecure();
    const serverName = tls && (tls.serverName ?? (isIP(hostOf(address)) ? 'localhost' : undefined));
    this.#client = new ExternalScaler(address, creds, {
      ...(serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName }),
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_send_message_length': -1,
    }) as unknown as ExternalScalerClient;
  }

  /** Rejects, as all calls do, with grpc-js's ServiceError: `code`, `details`. */
  async isActive(ref: ScaledObjectRef): Promise<boolean> {
    const answer = await promised<IsActiveResponse__Output>((done) => this.#client.isActive(ref, done));
    return answer.result;
  }

  getMetricSpec(ref: ScaledObjectRef): Promise<GetMetricSpecResponse__Output> {
    return promised((done) => this.#client.getMetricSpec(ref, done));
  }

  getMetrics(
    ref: ScaledObjectRef,
    metricName: string,
    signal?: AbortSignal,
  ): Promise<GetMetricsResponse__Output> {
    return promised((done) => {
      const call = this.#client.getMetrics({ scaledObjectRef: ref, metricName }, done);
      signal?.addEventListener('abort', () => call.cancel(), { once: true });
    });
  }

  streamIsActive(ref: ScaledObjectRef): KedaStream<IsActiveResponse__Output> {
    return new KedaStream(this.#client.streamIsActive(ref, new Metadata()));
  }

  streamMetricSpec(ref: ScaledObjectRef): KedaStream<GetMetricSpecResponse__Output> {
    return new KedaStream(this.#client.streamMetricSpec(ref, new Metadata()));
  }

  close(): void {
    this.#client.close();
  }
}

/** How a stream ended: 0 is OK. */
export interface StreamEnd {
  readonly code: number;
  readonly details: string;
}

/** A stream that keeps what came. */
export class KedaStream<T> {
  readonly messages: T[] = [];
  /** Settles at the end, whatever ended it. */
  readonly ended: Promise<StreamEnd>;
  readonly #call: ClientReadableStream<T>;
  #waiting: (() => void)[] = [];

  constructor(call: ClientReadableStream<T>) {
    this.#call = call;
    this.ended = new Promise((resolve) => call.on('status', resolve));
    call.on('error', () => {});
    call.on('data', (message: T) => {
      this.messages.push(message);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    call.on('status', () => {
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  /** Resolves once `count` messages have come in all. Rejects if the stream ends before. */
  async received(count: number): Promise<T[]> {
    let end: StreamEnd | undefined;
    this.ended.then((ended) => {
      end = ended;
    });
    while (this.messages.length < count) {
      if (end)
        throw new Error(
          `the stream ended after ${this.messages.length} messages: ${end.code} ${end.details}`,
        );
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      await Promise.resolve();
    }
    return this.messages;
  }

  /** Calls `run` with each message that comes from now on. */
  onMessage(run: (message: T) => void): void {
    this.#call.on('data', run);
  }

  /** Resolves when the server has accepted the stream. */
  opened(): Promise<void> {
    return new Promise((resolve) => this.#call.once('metadata', () => resolve()));
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  cancel(): void {
    this.#call.cancel();
  }
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}

function promised<T>(call: (done: requestCallback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error: ServiceError | null, answer?: T) => {
      if (error || answer === undefined) reject(error);
      else resolve(answer);
    });
  });
}
