import { type KubernetesListObject, type KubernetesObject, ListWatch, Watch } from '@kubernetes/client-node';
import type { Clock } from '#src/clock.ts';
import { messageOf } from '#src/cluster/api-failure.ts';
import type { Connection } from '#src/cluster/connection.ts';
import type { Log } from '#src/log.ts';

export interface WatchedOptions<T extends KubernetesObject> {
  readonly connection: Connection;
  /** Of the collection: `/api/v1/namespaces/shop/pods`. */
  readonly path: string;
  readonly list: () => Promise<KubernetesListObject<T>>;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Takes out of an object, in place, what nobody reads. */
  readonly trim: (object: T) => void;
  readonly onChange: (change: 'add' | 'update' | 'delete', object: T) => void;
  /** `pods of shop/checkout`, for messages. */
  readonly what: string;
  readonly clock: Clock;
  readonly log: Log;
}

const leastRetryMs = 1_000;
const mostRetryMs = 30_000;

/** Objects of the API server, kept up to date: client-node's list and watch, begun again after each failure. */
export class Watched<T extends KubernetesObject> {
  readonly #options: WatchedOptions<T>;
  readonly #informer: ListWatch<T>;
  #synced = false;
  #failingSince: number | undefined;
  #failedNow = false;
  #retryMs = leastRetryMs;
  #stopTimer: (() => void) | undefined;
  #stopped = false;

  constructor(options: WatchedOptions<T>) {
    this.#options = options;
    const { connection, path, labelSelector, fieldSelector, trim, onChange } = options;
    const list = async () => {
      const listed = await options.list();
      for (const item of listed.items) trim(item);
      return listed;
    };
    this.#informer = new ListWatch(path, new Watch(connection), list, false, labelSelector, fieldSelector);
    for (const change of ['add', 'update', 'delete'] as const) {
      this.#informer.on(change, (object) => {
        trim(object);
        onChange(change, object);
      });
    }
    this.#informer.on('error', (error) => this.#failed(error));
  }

  /** Resolves after the first try, whatever became of it; later ones follow by themselves. */
  async start(): Promise<void> {
    this.#failedNow = false;
    try {
      await this.#informer.start();
    } catch (error) {
      this.#failed(error);
    }
    if (this.#failedNow || this.#stopped) return;
    if (this.#failingSince !== undefined) {
      this.#options.log.info({}, `watches ${this.#options.what} again`);
    }
    this.#synced = true;
    this.#failingSince = undefined;
    this.#retryMs = leastRetryMs;
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer?.();
    void this.#informer.stop();
  }

  /** How long it may have missed changes, ms; undefined while it has never known anything. */
  staleMs(now: number): number | undefined {
    if (!this.#synced) return undefined;
    return this.#failingSince === undefined ? 0 : Math.max(0, now - this.#failingSince);
  }

  get objects(): ReadonlyArray<T> {
    return this.#informer.list();
  }

  #failed(error: unknown): void {
    if (this.#stopped || this.#failedNow) return;
    this.#failedNow = true;
    const { clock, log, what } = this.#options;
    if (this.#failingSince === undefined) {
      this.#failingSince = clock.now();
      log.warn({ reason: messageOf(error) }, `cannot watch ${what}; it is tried again`);
    }
    const delayMs = this.#retryMs;
    this.#retryMs = Math.min(mostRetryMs, delayMs * 2);
    this.#stopTimer = clock.after(delayMs, () => void this.start());
  }
}
