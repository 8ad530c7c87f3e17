import { CustomObjectsApi, type KubeConfig } from '@kubernetes/client-node';
import { systemClock } from '#src/clock.ts';
import type { Connection } from '#src/cluster/connection.ts';
import { Watched } from '#src/cluster/watched.ts';
import { silentLog } from '#test/harness/silent-log.ts';

interface Step {
  readonly at: number;
  readonly replicas: number;
}

interface RawWorkload {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string };
  spec?: { replicas?: number };
}

/** `spec.replicas` of every Deployment and StatefulSet of a namespace, each change with the time when it was seen. */
export class ReplicaHistory {
  readonly #steps = new Map<string, Step[]>();
  readonly #watched: Watched<RawWorkload>[];

  constructor(connection: Connection & KubeConfig, namespace: string) {
    const api = connection.makeApiClient(CustomObjectsApi);
    const place = { group: 'apps', version: 'v1', namespace };
    this.#watched = ['deployments', 'statefulsets'].map(
      (plural) =>
        new Watched<RawWorkload>({
          connection,
          path: `/apis/apps/v1/namespaces/${namespace}/${plural}`,
          list: async () => (await api.listNamespacedCustomObject({ ...place, plural })) as never,
          trim() {},
          onChange: (_, { metadata, spec }) => this.#note(metadata?.name ?? '', spec?.replicas ?? 0),
          what: plural,
          clock: systemClock,
          log: silentLog,
        }),
    );
  }

  async start(): Promise<void> {
    await Promise.all(this.#watched.map((watched) => watched.start()));
  }

  stop(): void {
    for (const watched of this.#watched) watched.stop();
  }

  /** Undefined before it was seen. */
  now(name: string): number | undefined {
    return this.#steps.get(name)?.at(-1)?.replicas;
  }

  /** Every change since then, and what held at that time. */
  since(name: string, at: number): Step[] {
    const steps = this.#steps.get(name) ?? [];
    const first = steps.findLastIndex((step) => step.at <= at);
    return steps.slice(Math.max(0, first));
  }

  #note(name: string, replicas: number): void {
    const steps = this.#steps.get(name) ?? [];
    if (steps.at(-1)?.replicas !== replicas) steps.push({ at: Date.now(), replicas });
    this.#steps.set(name, steps);
  }
}
