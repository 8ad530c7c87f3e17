import { hostname } from 'node:os';
import { CoreV1Api } from '@kubernetes/client-node';
import type { Clock } from '#src/clock.ts';
import { messageOf } from '#src/cluster/api-failure.ts';
import type { Connection } from '#src/cluster/connection.ts';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';
import { TokenBucket } from '#src/token-bucket.ts';

/** What an Event is about. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase, for filters. */
  readonly reason: string;
  readonly message: string;
}

const longestMessage = 1_000;
/** Whatever happens, the cluster is not flooded with what we say about it. */
const perMinute = 240;

/** Kubernetes Events: what users see in `kubectl describe`. */
export class Events {
  readonly #api: CoreV1Api;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #budget: TokenBucket;

  constructor({ connection, clock, log }: { connection: Connection; clock: Clock; log: Log }) {
    this.#api = connection.makeApiClient(CoreV1Api);
    this.#clock = clock;
    this.#log = log;
    this.#budget = new TokenBucket(perMinute, clock.now());
  }

  /** Never rejects: an Event that cannot be written is a line in the log. */
  async write(
    { apiVersion, kind, namespace, name, uid }: EventSubject,
    { type, reason, message }: EventText,
  ): Promise<void> {
    const now = this.#clock.now();
    try {
      if (!this.#budget.take(now)) throw new Failure('rate-limited', 'too many Events within a minute');
      const at = new Date(now);
      await this.#api.createNamespacedEvent({
        namespace,
        body: {
          metadata: { generateName: `${name.slice(0, 200)}.`, namespace },
          involvedObject: { apiVersion, kind, namespace, name, uid },
          type,
          reason,
          message: message.slice(0, longestMessage),
          source: { component: 'external-scaler-sysdig' },
          reportingComponent: 'external-scaler-sysdig',
          reportingInstance: hostname(),
          firstTimestamp: at,
          lastTimestamp: at,
          count: 1,
        },
      });
    } catch (thrown) {
      this.#log.warn(
        {
          about: `${kind} ${namespace}/${name}`,
          event: reason,
          text: message,
          reason: messageOf(thrown),
        },
        'cannot write an Event',
      );
    }
  }
}
