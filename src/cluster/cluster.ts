import type { Clock } from '#src/clock.ts';
import type { ClusterOrigin } from '#src/cluster/configured.ts';
import { type Connection, connect } from '#src/cluster/connection.ts';
import { Events } from '#src/cluster/events.ts';
import { Objects } from '#src/cluster/objects.ts';
import { OwnerChains } from '#src/cluster/owner-chains.ts';
import { PodDirectory } from '#src/cluster/pod-directory.ts';
import { ScaledObjects } from '#src/cluster/scaled-objects.ts';
import { Workloads } from '#src/cluster/workloads.ts';
import type { Log } from '#src/log.ts';

export interface ClusterOptions {
  readonly origin: ClusterOrigin;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly onRequest: (method: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Everything that is known of the cluster, over one connection. Nothing is asked until somebody asks. */
export class Cluster {
  readonly connection: Connection;
  readonly objects: Objects;
  readonly pods: PodDirectory;
  readonly workloads: Workloads;
  readonly scaledObjects: ScaledObjects;
  readonly events: Events;
  readonly #namespaces: ReadonlySet<string>;

  constructor({ origin, namespaces, onRequest, clock, log }: ClusterOptions) {
    const connection = connect(origin, { clock, onRequest });
    this.#namespaces = new Set(namespaces);
    this.connection = connection;
    this.objects = new Objects(connection);
    this.pods = new PodDirectory({ connection, chains: new OwnerChains(this.objects), clock });
    this.workloads = new Workloads(this.objects, { connection, clock, log });
    this.scaledObjects = new ScaledObjects({ connection, namespaces, clock, log });
    this.events = new Events({ connection, clock, log });
  }

  /** Whether anything in this namespace is any of our business. */
  watches(namespace: string): boolean {
    return this.#namespaces.size === 0 || this.#namespaces.has(namespace);
  }

  close(): void {
    this.scaledObjects.stop();
    this.workloads.close();
  }
}
