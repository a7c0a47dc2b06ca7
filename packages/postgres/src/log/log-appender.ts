import { EventError, isEventError } from '@waybill/core';
import { assertCarriable, GroupCommit, ownMessage, partitionOf } from '@waybill/core/adapter';
import type { Message } from '@waybill/core/adapter';

import {
  messageColumns,
  messageParams,
  unnestMessages,
  unnestedColumns,
} from '../message-columns.ts';
import { logTransport, positionOf } from './log-tables.ts';
import type { LogTables } from './log-tables.ts';
import type { SqlClient } from '../client/sql-client.ts';

/** The next free offset of some partitions. */
export type Heads = ReadonlyMap<number, bigint>;

const maxCallsAtOnce = 64;

/** Appends messages to the log, at dense offsets that become visible in their order. */
export class LogAppender {
  readonly #client: SqlClient;
  readonly #tables: LogTables;
  readonly #onAppended: (heads: Heads) => void;
  readonly #calls: GroupCommit<readonly Message[], string[]>;

  /** @param onAppended Told after each commit how far the partitions reach. */
  constructor(client: SqlClient, tables: LogTables, onAppended: (heads: Heads) => void) {
    this.#client = client;
    this.#tables = tables;
    this.#onAppended = onAppended;
    this.#calls = new GroupCommit({
      flush: (calls) => this.#appendAll(calls),
      maxItems: maxCallsAtOnce,
      isItemFault: (error) => isEventError(error, 'STORE_REJECTED'),
    });
  }

  /**
   * Appends the messages of one call, all or none. Calls made at the same time go as one statement.
   *
   * @returns The position of each.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE`; `MESSAGE_UNPARSEABLE` for what UTF-8 cannot carry, and
   *   `STORE_REJECTED` for what no table can hold.
   */
  async append(messages: readonly Message[]): Promise<string[]> {
    if (messages.length === 0) return [];
    for (const message of messages) assertCarriable(message);
    this.#client.assertFree?.();
    try {
      // The caller may use its buffers again while the call waits for its turn.
      return await this.#calls.add(messages.map(ownMessage));
    } catch (error) {
      throw isEventError(error, 'STORE_UNAVAILABLE') ? unavailable(error) : error;
    }
  }

  /** Resolves when nothing is on its way to the database. */
  async settled(): Promise<void> {
    await this.#calls.settled();
  }

  async #appendAll(calls: readonly (readonly Message[])[]): Promise<string[][]> {
    const messages = calls.flat();
    const partitions = messages.map(({ key }) => partitionOf(key));
    const { counts, indexes } = countPartitions(partitions);
    const heads = await this.#insert(messages, partitions, indexes);
    this.#onAppended(heads);
    const positions = partitions.map((partition, at) => {
      const first = heads.get(partition)! - BigInt(counts.get(partition)!);
      return positionOf(partition, first + BigInt(indexes[at]!));
    });
    let from = 0;
    return calls.map(({ length }) => positions.slice(from, (from += length)));
  }

  /**
   * One statement, and so one short transaction: locks the heads of the partitions in ascending order,
   * moves them on, and inserts the rows behind where they stood.
   */
  async #insert(
    messages: readonly Message[],
    partitions: readonly number[],
    indexes: readonly number[],
  ): Promise<Heads> {
    const { log, head } = this.#tables;
    const { rows } = await this.#client.query<{ partition: number; next_offset: bigint }>(
      `WITH message AS MATERIALIZED (
         SELECT * FROM ${unnestMessages(3, { partition: '$1::smallint[]', index: '$2::integer[]' })}
       ), counted AS MATERIALIZED (
         SELECT partition, count(*) AS count FROM message GROUP BY partition
       ), locked AS MATERIALIZED (
         SELECT partition, next_offset FROM ${head}
         WHERE partition IN (SELECT partition FROM counted)
         ORDER BY partition FOR UPDATE
       ), moved AS (
         UPDATE ${head} AS head SET next_offset = locked.next_offset + counted.count
         FROM locked JOIN counted USING (partition) WHERE head.partition = locked.partition
         RETURNING head.partition, head.next_offset
       ), inserted AS (
         INSERT INTO ${log} (partition, log_offset, ${messageColumns})
         SELECT message.partition, locked.next_offset + message.index, ${unnestedColumns}
         FROM message JOIN locked USING (partition)
       )
       SELECT partition, next_offset FROM moved`,
      [partitions, indexes, ...messageParams(messages)],
      { prepared: true },
    );
    return new Map(rows.map((row) => [row.partition, row.next_offset]));
  }
}

/** How many messages go to each partition, and which of them each one is. */
function countPartitions(partitions: readonly number[]): {
  counts: ReadonlyMap<number, number>;
  indexes: number[];
} {
  const counts = new Map<number, number>();
  const indexes = partitions.map((partition) => {
    const index = counts.get(partition) ?? 0;
    counts.set(partition, index + 1);
    return index;
  });
  return { counts, indexes };
}

function unavailable(cause: EventError): EventError<'TRANSPORT_UNAVAILABLE'> {
  return new EventError(
    'TRANSPORT_UNAVAILABLE',
    `the log could not be reached, so the messages may or may not be in it; publish them again with the same ids (${cause.message})`,
    { transport: logTransport },
    { cause },
  );
}
