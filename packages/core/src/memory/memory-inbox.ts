import { systemClock, type Clock } from '../clock.ts';
import type { Inbox, InboxKey } from '../consume/inbox.ts';
import { MemoryDatabase } from './memory-database.ts';

/** An inbox that lives as long as the process. */
export class MemoryInbox implements Inbox {
  readonly #database: MemoryDatabase;
  readonly #clock: Clock;
  /** When each handling was recorded, in milliseconds since the epoch. */
  readonly #recordedAt = new Map<string, number>();

  constructor(
    database: MemoryDatabase = new MemoryDatabase(),
    { clock = systemClock }: { clock?: Clock } = {},
  ) {
    this.#database = database;
    this.#clock = clock;
  }

  async record({ group, handler, source, id }: InboxKey, tx: object): Promise<boolean> {
    const own = this.#database.own(tx);
    const key = JSON.stringify([group, handler, source, id]);
    if (this.#recordedAt.has(key)) return false;
    own.set(this.#recordedAt, key, this.#clock.now());
    return true;
  }

  prune(olderThanMs: number): Promise<number> {
    return this.#database.join(undefined, (tx) => {
      const limit = this.#clock.now() - olderThanMs;
      const old = [...this.#recordedAt].filter(([, recordedAt]) => recordedAt < limit);
      for (const [key] of old) tx.delete(this.#recordedAt, key);
      return old.length;
    });
  }
}
