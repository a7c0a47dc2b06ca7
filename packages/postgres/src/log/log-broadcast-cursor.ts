import type { LogHeads } from './log-heads.ts';
import type { Loss } from './log-memory.ts';
import type { LogRow } from './log-rows.ts';
import { readPlace, readStanding } from './log-standing.ts';
import type { LogStanding } from './log-standing.ts';
import { firstOffset } from './log-start.ts';
import type { LogTables } from './log-tables.ts';
import type { SqlClient } from '../client/sql-client.ts';

export interface BroadcastCursorOptions {
  readonly client: SqlClient;
  readonly tables: LogTables;
  /** Just refreshed: what lies before them is not read. */
  readonly heads: LogHeads;
}

/** A broadcast has no rows of its own, so no group is looked for. */
const noGroup = '';

/** How far a broadcast has read, which it alone knows. */
export class BroadcastCursor {
  readonly #options: BroadcastCursorOptions;
  /** The next offset to read in each partition. */
  readonly #next: Map<number, bigint>;
  readonly #last = new Map<number, { offset: bigint; eventId: string }>();
  #epoch: number;
  #version: string;
  #falls: number;
  /** When the log was last seen as it was, in seconds by the database's clock. */
  #soundAt: number;

  constructor(options: BroadcastCursorOptions) {
    this.#options = options;
    const { all, epoch, version, lookedAt, history } = options.heads;
    this.#next = new Map(all);
    this.#epoch = epoch;
    this.#version = version;
    this.#falls = history.falls;
    this.#soundAt = lookedAt;
  }

  in(partition: number): bigint {
    return this.#next.get(partition) ?? 0n;
  }

  /** Takes note of a row that was read. */
  read({ partition, log_offset: offset, event_id: eventId }: LogRow): void {
    this.#next.set(partition, offset + 1n);
    this.#last.set(partition, { offset, eventId });
  }

  /** Nothing came where something was: it was deleted, and a broadcast makes no promise about it; or the log is shorter. */
  async passOver(partition: number): Promise<void> {
    const { client, tables, heads } = this.#options;
    const from = this.in(partition);
    const { first, end } = await readPlace(client, tables, { partition, from });
    if (end <= from) return await heads.refresh();
    this.#next.set(partition, first ?? end);
  }

  /**
   * Where the database may be another one, goes back to what was appended since it was the one that is known.
   *
   * @returns What the log no longer has of what was read, or was there to be read.
   */
  async lookAgain(): Promise<Loss[]> {
    const { client, tables, heads } = this.#options;
    if (heads.epoch === this.#epoch) {
      this.#soundAt = heads.lookedAt;
      return [];
    }
    await heads.refresh();
    const { epoch, version, lookedAt, history } = heads;
    const offsets = new Map([...this.#last].map(([partition, { offset }]) => [partition, offset]));
    const { partitions } = await readStanding(client, tables, noGroup, offsets);
    const isOther = version !== this.#version;
    const suspicious = partitions.filter((standing) => this.#isSuspicious(standing, isOther));
    const since = suspicious.length > 0 ? await this.#appendedSince() : undefined;
    const longest = history.falls === this.#falls ? undefined : history.longest;
    const losses = suspicious.flatMap(({ partition, end }): Loss[] => {
      const [from, read] = [since?.get(partition) ?? end, this.in(partition)];
      this.#goBack(partition, from);
      const known = longest?.get(partition) ?? 0n;
      const until = known > read ? known : read;
      return from < until ? [{ partition, from, until }] : [];
    });
    this.#falls = history.falls;
    this.#epoch = epoch;
    this.#version = version;
    this.#soundAt = lookedAt;
    return losses;
  }

  /** Where the youngest row that was read lies as it did, all is well up to there. */
  #isSuspicious({ partition, end, eventId }: LogStanding, isOther: boolean): boolean {
    const last = this.#last.get(partition);
    if (end < this.in(partition)) return true;
    if (!last || eventId === undefined) return isOther;
    return eventId !== last.eventId;
  }

  #goBack(partition: number, to: bigint): void {
    if (to >= this.in(partition)) return;
    this.#next.set(partition, to);
    this.#last.delete(partition);
  }

  async #appendedSince(): Promise<Map<number, bigint>> {
    const { client, tables } = this.#options;
    const since = new Date(this.#soundAt * 1_000);
    const { rows } = await client.query<{ partition: number; first: bigint }>(
      `SELECT h.partition, ${firstOffset(since, tables.log, '$1')} AS first FROM ${tables.head} AS h`,
      [since.getTime()],
    );
    return new Map(rows.map(({ partition, first }) => [partition, first]));
  }
}
