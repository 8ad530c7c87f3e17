import type { Entry } from '#src/journal/entry.ts';
import type { Follower, Position } from '#src/journal/journal.ts';

interface Delivery {
  readonly entries: readonly Entry[];
  readonly position: Position;
}

interface Following {
  readonly follower: Follower;
  /** What has happened while the follower was still reading the past; undefined from then on. */
  missed: Delivery[] | undefined;
}

/** Everyone who follows a journal. */
export class Followers {
  readonly #following = new Set<Following>();

  deliver(entries: readonly Entry[], position: Position): void {
    for (const { follower, missed } of this.#following) {
      if (missed === undefined) follower(entries, position);
      else missed.push({ entries, position });
    }
  }

  /** Runs `past`, which hands out what there was before this call; then what has happened meanwhile, then all as it comes. */
  async join(follower: Follower, signal: AbortSignal, past: () => Promise<void>): Promise<void> {
    if (signal.aborted) return;
    const missed: Delivery[] = [];
    const following: Following = { follower, missed };
    this.#following.add(following);
    signal.addEventListener('abort', () => this.#following.delete(following), { once: true });
    try {
      await past();
    } catch (thrown) {
      this.#following.delete(following);
      throw thrown;
    }
    // By index: a follower may append in turn.
    for (let index = 0; index < missed.length && !signal.aborted; index++) {
      const { entries, position } = missed[index] as Delivery;
      follower(entries, position);
    }
    following.missed = undefined;
  }
}
