import { CustomObjectsApi, type KubernetesListObject } from '@kubernetes/client-node';
import type { Clock } from '#src/clock.ts';
import { apiFailure, statusOf } from '#src/cluster/api-failure.ts';
import type { Connection } from '#src/cluster/connection.ts';
import {
  type RawScaledObject,
  type ScaledObject,
  scaledObject,
  trimScaledObject,
} from '#src/cluster/scaled-object.ts';
import { Watched } from '#src/cluster/watched.ts';
import type { Log } from '#src/log.ts';

export interface ScaledObjectsParts {
  readonly connection: Connection;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

interface Id {
  readonly namespace: string;
  readonly name: string;
}

const group = 'keda.sh';
const version = 'v1alpha1';
const collections = [
  { plural: 'scaledobjects', kind: 'ScaledObject' },
  { plural: 'scaledjobs', kind: 'ScaledJob' },
] as const;

/** Every ScaledObject and ScaledJob, read once and watched from then on. */
export class ScaledObjects {
  readonly #parts: ScaledObjectsParts;
  readonly #api: CustomObjectsApi;
  readonly #watched: Watched<RawScaledObject>[];
  readonly #known = new Map<string, ScaledObject>();
  readonly #listeners = new Set<(changed: ScaledObject, isGone: boolean) => void>();

  constructor(parts: ScaledObjectsParts) {
    this.#parts = parts;
    this.#api = parts.connection.makeApiClient(CustomObjectsApi);
    const places = parts.namespaces.length > 0 ? parts.namespaces : [undefined];
    this.#watched = collections.flatMap((one) => places.map((namespace) => this.#watch(one, namespace)));
  }

  /** Resolves after the first try. */
  async start(): Promise<void> {
    await Promise.all(this.#watched.map((watched) => watched.start()));
  }

  stop(): void {
    for (const watched of this.#watched) watched.stop();
  }

  /** As it was last seen: the ScaledObject, else the ScaledJob of that name. */
  get({ namespace, name }: Id): ScaledObject | undefined {
    return (
      this.#known.get(keyOf('ScaledObject', namespace, name)) ??
      this.#known.get(keyOf('ScaledJob', namespace, name))
    );
  }

  all(): Iterable<ScaledObject> {
    return this.#known.values();
  }

  /** Whether everything that there is has been read once. */
  get isSynced(): boolean {
    const now = this.#parts.clock.now();
    return this.#watched.every((watched) => watched.staleMs(now) !== undefined);
  }

  /** Calls `listener` with each that comes, changes or goes; returns the end of it. */
  onChange(listener: (changed: ScaledObject, isGone: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As it is this moment; undefined where it is gone. Throws a `Failure`. */
  async fresh({ namespace, name }: Id): Promise<ScaledObject | undefined> {
    try {
      const place = { group, version, namespace, plural: 'scaledobjects', name };
      return scaledObject(
        (await this.#api.getNamespacedCustomObject(place)) as RawScaledObject,
        'ScaledObject',
      );
    } catch (thrown) {
      if (statusOf(thrown) === 404) return undefined;
      throw apiFailure(thrown, `reading ScaledObject ${namespace}/${name}`);
    }
  }

  #watch({ plural, kind }: (typeof collections)[number], namespace: string | undefined) {
    const { connection, clock, log } = this.#parts;
    const list = () =>
      namespace === undefined
        ? this.#api.listClusterCustomObject({ group, version, plural })
        : this.#api.listNamespacedCustomObject({ group, version, plural, namespace });
    return new Watched<RawScaledObject>({
      connection,
      path: `/apis/${group}/${version}/${namespace === undefined ? '' : `namespaces/${namespace}/`}${plural}`,
      list: async () => (await list()) as KubernetesListObject<RawScaledObject>,
      trim: trimScaledObject,
      onChange: (change, raw) => this.#changed(scaledObject(raw, kind), change === 'delete'),
      what: namespace === undefined ? plural : `${plural} of namespace ${namespace}`,
      clock,
      log,
    });
  }

  #changed(changed: ScaledObject, isGone: boolean): void {
    const key = keyOf(changed.kind, changed.namespace, changed.name);
    // KEDA writes a status with every poll: that is no change of what its author wants.
    if (!isGone && JSON.stringify(this.#known.get(key)) === JSON.stringify(changed)) return;
    if (isGone) this.#known.delete(key);
    else this.#known.set(key, changed);
    for (const listener of this.#listeners) listener(changed, isGone);
  }
}

function keyOf(kind: ScaledObject['kind'], namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`;
}
