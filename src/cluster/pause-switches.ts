import { CoreV1Api } from '@kubernetes/client-node';
import type { Clock } from '#src/clock.ts';
import { apiFailure, statusOf } from '#src/cluster/api-failure.ts';
import type { Connection } from '#src/cluster/connection.ts';
import { homeName } from '#src/cluster/features.ts';
import { pausedLabel } from '#src/cluster/labels.ts';

interface Read {
  readonly at: number;
  readonly text: string | undefined;
}

/** What is read is believed for so long: a switch must hold within 5 s. */
const holdsMs = 2_000;

/** The switches that stop surge and reap at once: for all, for a namespace, for a workload. */
export class PauseSwitches {
  readonly #connection: Connection;
  readonly #api: CoreV1Api;
  readonly #clock: Clock;
  readonly #read = new Map<string, Read>();

  constructor({ connection, clock }: { connection: Connection; clock: Clock }) {
    this.#connection = connection;
    this.#api = connection.makeApiClient(CoreV1Api);
    this.#clock = clock;
  }

  /** The switch that is set, in words; undefined where none is. Throws a `Failure`: who cannot ask must not act. */
  async setFor(namespace: string, labels: Readonly<Record<string, string>>): Promise<string | undefined> {
    if (labels[pausedLabel] === 'true') return `the workload has the label ${pausedLabel}`;
    const [all, ofNamespace] = await Promise.all([this.#all(), this.#ofNamespace(namespace)]);
    if (all === 'paused') return `ConfigMap ${this.#connection.namespace}/${homeName} has acts: paused`;
    return ofNamespace === 'true' ? `namespace ${namespace} has the label ${pausedLabel}` : undefined;
  }

  #all(): Promise<string | undefined> {
    const { namespace } = this.#connection;
    return this.#remembered('', `ConfigMap ${namespace}/${homeName}`, async () => {
      const { data } = await this.#api.readNamespacedConfigMap({ name: homeName, namespace });
      return data?.['acts'];
    });
  }

  #ofNamespace(namespace: string): Promise<string | undefined> {
    return this.#remembered(namespace, `namespace ${namespace}`, async () => {
      const { metadata } = await this.#api.readNamespace({ name: namespace });
      return metadata?.labels?.[pausedLabel];
    });
  }

  async #remembered(key: string, what: string, read: () => Promise<string | undefined>) {
    const now = this.#clock.now();
    const known = this.#read.get(key);
    if (known !== undefined && Math.abs(now - known.at) < holdsMs) return known.text;
    let text: string | undefined;
    try {
      text = await read();
    } catch (thrown) {
      if (statusOf(thrown) !== 404) throw apiFailure(thrown, `reading ${what}`);
    }
    if (this.#read.size > 1_000) this.#read.clear();
    this.#read.set(key, { at: now, text });
    return text;
  }
}
