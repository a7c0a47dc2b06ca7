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

  async record(key: InboxKey, tx: object): Promise<boolean> {
    const own = this.#database.own(tx);
    const { group, handler, formerly = [], source, id } = key;
    const names = [...new Set([handler, ...formerly])];
    const rows = names.map((name) => JSON.stringify([group, name, source, id]));
    const unknown = rows.filter((row) => !this.#recordedAt.has(row));
    for (const row of unknown) own.set(this.#recordedAt, row, this.#clock.now());
    return unknown.length === rows.length;
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
