import { CoordinationV1Api, type V1Lease, V1MicroTime } from '@kubernetes/client-node';
import type { Clock } from '#src/clock.ts';
import { apiFailure, statusOf } from '#src/cluster/api-failure.ts';
import type { Connection } from '#src/cluster/connection.ts';
import { Failure } from '#src/failure.ts';
import type { Log } from '#src/log.ts';

export interface LeaseOptions {
  readonly connection: Connection;
  readonly name: string;
  /** Unlike that of every other process, also of an earlier one of the same pod. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** As Kubernetes' own controllers have them. */
const leaseSeconds = 15;
const heldForMs = 10_000;
const renewMs = 2_000;

/**
 * The right to act, held by one process at a time. Whoever holds it stops acting 10 s after the last renewal, and nobody
 * takes it before it has stood still for 15 s, measured by the taker's own clock: clocks need not agree.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #api: CoordinationV1Api;
  readonly #onTaken = new Set<() => void>();
  #renewedAt: number | undefined;
  #seen: { version: string; at: number } | undefined;
  #stopTimer: (() => void) | undefined;
  #stopped = false;
  #problem: string | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#api = options.connection.makeApiClient(CoordinationV1Api);
  }

  /** Whether this process may act now. */
  get isHeld(): boolean {
    if (this.#renewedAt === undefined || this.#stopped) return false;
    const age = this.#options.clock.now() - this.#renewedAt;
    return age >= 0 && age < heldForMs;
  }

  /** Calls `listener` each time that the lease comes to this process. */
  onTaken(listener: () => void): void {
    this.#onTaken.add(listener);
  }

  /** Tries at once, and goes on by itself. */
  start(): void {
    void this.#tick();
  }

  /** Gives it back, so that another may act at once. Never rejects. */
  async stop(): Promise<void> {
    const wasHeld = this.isHeld;
    this.#stopped = true;
    this.#stopTimer?.();
    if (!wasHeld) return;
    try {
      const lease = await this.#read();
      if (lease?.spec?.holderIdentity !== this.#options.identity) return;
      await this.#replace(lease, '');
    } catch {
      // It runs out by itself.
    }
  }

  async #tick(): Promise<void> {
    const { clock, log } = this.#options;
    const was = this.isHeld;
    const askedAt = clock.now();
    try {
      if (await this.#take(askedAt)) this.#renewedAt = askedAt;
      else this.#renewedAt = undefined;
      this.#problem = undefined;
    } catch (thrown) {
      const { message } = Failure.from(thrown);
      if (message !== this.#problem)
        log.warn({ reason: message }, 'cannot renew the lease; it is tried again');
      this.#problem = message;
    }
    if (this.#stopped) return;
    if (was !== this.isHeld) {
      log.info(
        { lease: this.#options.name, identity: this.#options.identity },
        was ? 'another replica acts' : 'this replica acts',
      );
      if (!was) for (const tell of this.#onTaken) tell();
    }
    this.#stopTimer = clock.after(renewMs, () => void this.#tick());
  }

  async #take(now: number): Promise<boolean> {
    const lease = await this.#read();
    if (lease === undefined) return this.#create();
    const { spec, metadata } = lease;
    const version = metadata?.resourceVersion ?? '';
    if (this.#seen?.version !== version) this.#seen = { version, at: now };
    const isMine = spec?.holderIdentity === this.#options.identity;
    const isFree = !spec?.holderIdentity;
    const isOver = now - this.#seen.at >= (spec?.leaseDurationSeconds ?? leaseSeconds) * 1_000;
    if (!isMine && !isFree && !isOver) return false;
    return this.#replace(lease, this.#options.identity);
  }

  async #read(): Promise<V1Lease | undefined> {
    const { connection, name } = this.#options;
    try {
      return await this.#api.readNamespacedLease({ name, namespace: connection.namespace });
    } catch (thrown) {
      if (statusOf(thrown) === 404) return undefined;
      throw apiFailure(thrown, `reading the lease ${connection.namespace}/${name}`);
    }
  }

  async #create(): Promise<boolean> {
    const { connection, name, identity } = this.#options;
    const { namespace } = connection;
    try {
      await this.#api.createNamespacedLease({
        namespace,
        body: { metadata: { name, namespace }, spec: this.#spec(identity, undefined) },
      });
      return true;
    } catch (thrown) {
      if (statusOf(thrown) === 409) return false;
      throw apiFailure(thrown, `making the lease ${namespace}/${name}`);
    }
  }

  /** False when another was faster. */
  async #replace(lease: V1Lease, holder: string): Promise<boolean> {
    const { connection, name } = this.#options;
    const { namespace } = connection;
    try {
      const body = { metadata: lease.metadata ?? {}, spec: this.#spec(holder, lease) };
      const replaced = await this.#api.replaceNamespacedLease({ name, namespace, body });
      this.#seen = { version: replaced.metadata?.resourceVersion ?? '', at: this.#options.clock.now() };
      return true;
    } catch (thrown) {
      if (statusOf(thrown) === 409) return false;
      throw apiFailure(thrown, `renewing the lease ${namespace}/${name}`);
    }
  }

  #spec(holder: string, before: V1Lease | undefined) {
    const now = new V1MicroTime(this.#options.clock.now());
    const isSame = before?.spec?.holderIdentity === holder;
    const transitions = before?.spec?.leaseTransitions ?? 0;
    return {
      holderIdentity: holder,
      leaseDurationSeconds: leaseSeconds,
      acquireTime: isSame ? (before?.spec?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: isSame ? transitions : transitions + 1,
    };
  }
}
