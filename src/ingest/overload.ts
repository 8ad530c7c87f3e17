/** From where on the ingest sheds. */
export interface OverloadLimits {
  /** How late the event loop may be, ms. */
  readonly lagMs: number;
  /** Bytes of bodies that are being received, over all connections. */
  readonly bytes: number;
  /** Entries that wait for the disk. */
  readonly backlog: number;
}

export interface OverloadSigns {
  lagMs(): number;
  backlog(): number;
}

const usualLimits: OverloadLimits = { lagMs: 200, bytes: 64 * 1024 * 1024, backlog: 200_000 };

/** Knows when there is more to do than can be done: below its limits everything is counted exactly. */
export class Overload {
  readonly #signs: OverloadSigns;
  readonly #limits: OverloadLimits;
  #bytes = 0;

  constructor(signs: OverloadSigns, limits: Partial<OverloadLimits> = {}) {
    this.#signs = signs;
    this.#limits = { ...usualLimits, ...limits };
  }

  /**
   * Why a request with a body of so many bytes should not be read; undefined: it should. A long backlog is a reason only
   * for who waits for the disk: from memory alerts count while the disk is full, and the journal bounds what it holds.
   */
  reasonToShed(bytes: number, waitsForDisk: boolean): string | undefined {
    const { lagMs, backlog } = this.#limits;
    if (this.#signs.lagMs() > lagMs) return 'the event loop is late';
    if (!this.mayHold(bytes)) return 'too many bytes are being received';
    return waitsForDisk && this.#signs.backlog() > backlog ? 'the journal is behind' : undefined;
  }

  mayHold(bytes: number): boolean {
    return this.#bytes + bytes <= this.#limits.bytes;
  }

  hold(bytes: number): void {
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}
