import { EventError, isEventError } from '@waybill/core';
import {
  accepted,
  currentScope,
  destinationChanged,
  eventLabel,
  GroupCommit,
  HeldKeys,
  ownMessage,
  partitionOf,
  publishSendable,
} from '@waybill/core/adapter';
import type { PublishOutcome } from '@waybill/core';
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

/** Messages of one call that go together or not at all. */
type Call = readonly Message[];

export interface LogAppenderOptions {
  readonly client: SqlClient;
  readonly tables: LogTables;
  readonly destination: string;
  /** Told after each commit how far the partitions reach. */
  readonly onAppended: (heads: Heads) => void;
}

/** Appends messages to the log, at dense offsets that become visible in their order. */
export class LogAppender {
  readonly #options: LogAppenderOptions;
  /** By the mark that is expected: calls made at the same time go as one statement. */
  readonly #calls = new Map<string | undefined, GroupCommit<Call, string[]>>();

  constructor(options: LogAppenderOptions) {
    this.#options = options;
  }

  /**
   * Appends messages, in one statement unless one of them is refused.
   *
   * @param marker The mark that the log must bear.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE`, `DESTINATION_CHANGED`
   */
  async append(messages: Call, marker?: string): Promise<readonly PublishOutcome[]> {
    if (messages.length === 0) return [];
    this.#options.client.assertFree?.();
    try {
      return await publishSendable(messages, (sendable) =>
        // The caller may use its buffers again while the call waits for its turn.
        this.#send(sendable.map(ownMessage), marker),
      );
    } catch (error) {
      throw failureOf(error)?.error ?? error;
    }
  }

  /** Marks the log unless it is marked. @returns Its mark. @throws {EventError} `TRANSPORT_UNAVAILABLE` */
  async mark(candidate: string): Promise<string> {
    const { client, tables } = this.#options;
    try {
      const { rows } = await client.query<{ marker: string }>(
        `INSERT INTO ${tables.mark} AS known (marker) VALUES ($1)
         ON CONFLICT (only_one) DO UPDATE SET marker = known.marker RETURNING marker`,
        [candidate],
      );
      return rows[0]!.marker;
    } catch (error) {
      throw isEventError(error, 'STORE_UNAVAILABLE') ? unavailable(error) : error;
    }
  }

  /** Resolves when nothing is on its way to the database. */
  async settled(): Promise<void> {
    await Promise.all([...this.#calls.values()].map((calls) => calls.settled()));
  }

  async #send(messages: Call, marker: string | undefined): Promise<readonly PublishOutcome[]> {
    try {
      const { client } = this.#options;
      const positions = client.isLent?.()
        ? (await this.#appendAll([messages], marker))[0]!
        : await this.#callsFor(marker).add(messages);
      return positions.map(accepted);
    } catch (error) {
      if (!mayRefuseOne(error)) throw error;
      if (messages.length === 1)
        return [{ status: 'refused', error: refusal(messages[0]!, error) }];
      return await this.#sendSingly(messages, marker);
    }
  }

  /** The database does not say which of them it refuses. */
  async #sendSingly(messages: Call, marker: string | undefined): Promise<PublishOutcome[]> {
    const held = new HeldKeys();
    const outcomes: PublishOutcome[] = [];
    for (const [index, message] of messages.entries()) {
      try {
        const outcome = held.refusalOf(message) ?? (await this.#send([message], marker))[0]!;
        outcomes.push(held.note(message, outcome));
      } catch (error) {
        const failed = failureOf(error);
        if (index === 0 || !failed) throw error;
        // Of those before, it is known what became of them.
        const unsent = messages.slice(index + 1).map((each) => notSent(each, failed.error));
        return [...outcomes, failed, ...unsent];
      }
    }
    return outcomes;
  }

  #callsFor(marker: string | undefined): GroupCommit<Call, string[]> {
    let calls = this.#calls.get(marker);
    if (!calls) {
      calls = new GroupCommit({
        flush: (group) => this.#appendAll(group, marker),
        maxItems: maxCallsAtOnce,
        isItemFault: mayRefuseOne,
      });
      this.#calls.set(marker, calls);
    }
    return calls;
  }

  async #appendAll(calls: readonly Call[], marker: string | undefined): Promise<string[][]> {
    const messages = calls.flat();
    const partitions = messages.map(({ key }) => partitionOf(key));
    const { counts, indexes } = countPartitions(partitions);
    const heads = await this.#insert(messages, { partitions, indexes, marker });
    if (heads.size === 0) throw await this.#changed(marker!);
    this.#appended(heads);
    const positions = partitions.map((partition, at) => {
      const first = heads.get(partition)! - BigInt(counts.get(partition)!);
      return positionOf(partition, first + BigInt(indexes[at]!));
    });
    let from = 0;
    return calls.map(({ length }) => positions.slice(from, (from += length)));
  }

  /** Tells of rows as soon as they are there for others. */
  #appended(heads: Heads): void {
    const { client, onAppended } = this.#options;
    if (client.isLent?.()) currentScope()?.afterCommit(() => onAppended(heads));
    else onAppended(heads);
  }

  /**
   * One statement, and so one short transaction: locks the heads of the partitions in ascending order,
   * moves them on, and inserts the rows behind where they stood. Nothing happens if the log bears another
   * mark than is expected.
   */
  async #insert(
    messages: readonly Message[],
    place: {
      readonly partitions: readonly number[];
      readonly indexes: readonly number[];
      readonly marker: string | undefined;
    },
  ): Promise<Heads> {
    const { client, tables } = this.#options;
    const { log, head, mark } = tables;
    const { partitions, indexes, marker = null } = place;
    const { rows } = await client.query<{ partition: number; next_offset: bigint }>(
      `WITH message AS MATERIALIZED (
         SELECT * FROM ${unnestMessages(4, { partition: '$1::smallint[]', index: '$2::integer[]' })}
       ), counted AS MATERIALIZED (
         SELECT partition, count(*) AS count FROM message GROUP BY partition
       ), locked AS MATERIALIZED (
         SELECT partition, next_offset FROM ${head}
         WHERE partition IN (SELECT partition FROM counted)
           AND ($3::text IS NULL OR EXISTS (SELECT FROM ${mark} WHERE marker = $3))
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
      [partitions, indexes, marker, ...messageParams(messages)],
      { prepared: true },
    );
    return new Map(rows.map((row) => [row.partition, row.next_offset]));
  }

  async #changed(expected: string): Promise<EventError> {
    const { client, tables, destination } = this.#options;
    const { rows } = await client.query<{ marker: string }>(
      `SELECT marker FROM ${tables.mark}`,
      [],
    );
    return destinationChanged(destination, expected, rows[0]?.marker ?? null);
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

/** Tables and columns that are missing: then the log takes no message at all. */
const refusingAll = /^(3F|42)/;

/** Says whether the database may have refused one message, and take others. */
function mayRefuseOne(error: unknown): error is EventError<'STORE_REJECTED'> {
  return isEventError(error, 'STORE_REJECTED') && !refusingAll.test(error.details.sqlState ?? '');
}

/** What a failure of the database means for a message that it was given; nothing if it is another log. */
function failureOf(error: unknown): Exclude<PublishOutcome, { status: 'accepted' }> | undefined {
  if (isEventError(error, 'STORE_UNAVAILABLE')) {
    return { status: 'unknown', error: unavailable(error) };
  }
  if (isEventError(error, 'ACCESS_REFUSED')) return { status: 'refused', error };
  return isEventError(error, 'STORE_REJECTED')
    ? { status: 'refused', error: refusesAll(error) }
    : undefined;
}

function refusesAll(cause: EventError): EventError<'TRANSPORT_UNAVAILABLE'> {
  return new EventError(
    'TRANSPORT_UNAVAILABLE',
    `the log takes no messages: ${cause.message}`,
    { transport: logTransport },
    { cause, retryable: false },
  );
}

/** The outcome of a message that was not sent, because one before it met a connection that is gone. */
function notSent(message: Message, cause: EventError): PublishOutcome {
  const { id: eventId, type: eventType } = message;
  const error = new EventError(
    'TRANSPORT_UNAVAILABLE',
    `${eventLabel(message)} was not sent, since the one before it failed (${cause.message})`,
    { transport: logTransport, eventId, eventType },
    { cause, retryable: cause.retryable },
  );
  return { status: 'refused', error };
}

function refusal(message: Message, cause: EventError<'STORE_REJECTED'>): EventError {
  const { id, type } = message;
  return new EventError(
    'STORE_REJECTED',
    `the log cannot hold ${type} ${id}: ${cause.message}`,
    cause.details,
    { cause },
  );
}

function unavailable(cause: EventError): EventError<'TRANSPORT_UNAVAILABLE'> {
  return new EventError(
    'TRANSPORT_UNAVAILABLE',
    `the log could not be reached, so the messages may or may not be in it; publish them again with the same ids (${cause.message})`,
    { transport: logTransport },
    { cause },
  );
}
