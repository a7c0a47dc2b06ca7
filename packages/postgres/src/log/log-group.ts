import { EventError } from '@waybill/core';
import type { GroupStart } from '@waybill/core';
import type { Range } from '@waybill/core/adapter';

import { joinable } from '../client/joinable.ts';
import { beyondTheEnd } from './log-position.ts';
import { rangeParams, readRanges } from './log-rows.ts';
import type { LogRow } from './log-rows.ts';
import type { LogTables } from './log-tables.ts';
import type { SqlClient } from '../client/sql-client.ts';

/** How far a group is in one partition; see the migration for what the columns mean. */
export interface GroupPartition {
  readonly partition: number;
  readonly committed: bigint;
  readonly fetched: bigint;
  /** Everything below may have been handed out before. */
  readonly handed: bigint;
  readonly suspect: bigint;
  readonly takeovers: number;
}

/** Who has a group right now, as far as a glance can tell. */
export interface Occupant {
  readonly worker: string;
  /** True if it gave the group up in good order. */
  readonly released: boolean;
  /** True if the group may be taken. */
  readonly free: boolean;
}

export interface Claim {
  readonly token: string;
  readonly worker: string;
  /** Advisory lock that this process holds while it lives. */
  readonly ownerLock: bigint;
  readonly leaseMs: number;
  /** Takes the group whatever the occupant's lock says: where this process is the only one. */
  readonly force: boolean;
}

/** Longest wait for transactions of the former owner that have passed its fence. */
const claimLockTimeoutMs = 1_000;

/** Also true for one's own claim whose answer got lost; `token` is the parameter that holds its token. */
const ownerIsGone = (token: string): string => `(c.owner_lock IS NULL OR c.token = ${token}
  OR c.heartbeat_at + c.lease_ms * interval '1 millisecond' < clock_timestamp()
  OR pg_try_advisory_xact_lock_shared(c.owner_lock))`;

/** The statements of one consumer group. Every write carries the token and is refused without it. */
export class LogGroup {
  readonly name: string;
  readonly #client: SqlClient;
  readonly #tables: LogTables;

  constructor(client: SqlClient, tables: LogTables, name: string) {
    this.#client = client;
    this.#tables = tables;
    this.name = name;
  }

  /**
   * Makes the group if there is none.
   *
   * Log and heads are read as they were at one moment: what is being appended meanwhile lies behind both,
   * so the group gets it, whatever its time. A group that was deleted, and whose owner is still known, may
   * have been handed all that there is.
   *
   * @returns True if it is new.
   */
  async ensure(start: GroupStart): Promise<boolean> {
    const { consumer, group, head, log } = this.#tables;
    // A time is searched for among all older rows, some 3 s for a million. A known group must not pay
    // that each time that one of its consumers starts.
    const { rowCount } = await this.#client.query(
      `WITH beginning AS MATERIALIZED (
         SELECT h.partition, h.next_offset, ${firstOffset(start, log)} AS start
         FROM ${head} AS h
         WHERE NOT EXISTS (SELECT FROM ${group} AS g WHERE g.group_name = $1 AND g.partition = h.partition)
       )
       INSERT INTO ${group}
         (group_name, partition, committed_offset, fetched_offset, suspect_offset, handed_offset)
       SELECT $1, partition, start, start, start,
              CASE WHEN EXISTS (SELECT FROM ${consumer} WHERE group_name = $1) THEN next_offset END
       FROM beginning
       ON CONFLICT DO NOTHING`,
      start instanceof Date ? [this.name, start.getTime()] : [this.name],
    );
    return rowCount > 0;
  }

  /**
   * Looks whether the group can go on in the log as it is.
   *
   * @returns False if the group is missing, in some partition at least.
   * @throws {EventError} `CURSOR_FOREIGN` if it is beyond the end of the log.
   */
  async stands(): Promise<boolean> {
    const { group, head } = this.#tables;
    const { rows } = await this.#client.query<{
      partition: number;
      end: bigint;
      at: bigint | null;
    }>(
      `SELECT h.partition, h.next_offset AS end, g.fetched_offset AS at
       FROM ${head} AS h LEFT JOIN ${group} AS g ON g.group_name = $1 AND g.partition = h.partition
       WHERE g.partition IS NULL OR g.fetched_offset > h.next_offset ORDER BY h.partition`,
      [this.name],
      { prepared: true },
    );
    for (const { partition, end, at } of rows) {
      if (at !== null) throw beyondTheEnd(this.name, { partition, at, end });
    }
    return rows.length === 0;
  }

  /** Looks who has the group, without taking it. @param token With which it is going to be claimed. */
  async occupant(token: string): Promise<Occupant | undefined> {
    const { rows } = await this.#client.query<Occupant>(
      `SELECT worker, owner_lock IS NULL AS released, ${ownerIsGone('$2')} AS free
       FROM ${this.#tables.consumer} AS c WHERE group_name = $1`,
      [this.name, token],
      { prepared: true },
    );
    return rows[0];
  }

  /**
   * Takes the group, unless its owner lives and is awake. From then on the former token is refused.
   *
   * @returns Where the group stands, or nothing if it was not to be had.
   */
  async claim(claim: Claim): Promise<GroupPartition[] | undefined> {
    const { consumer, group } = this.#tables;
    const { rows } = await this.#client.run(
      (tx) =>
        tx.query<GroupPartition>(
          `WITH taken AS (
             INSERT INTO ${consumer} AS c (group_name, token, worker, owner_lock, heartbeat_at, lease_ms)
             VALUES ($1, $2, $3, $4, clock_timestamp(), $5)
             ON CONFLICT (group_name) DO UPDATE
             SET token = EXCLUDED.token, worker = EXCLUDED.worker, owner_lock = EXCLUDED.owner_lock,
                 heartbeat_at = clock_timestamp(), lease_ms = EXCLUDED.lease_ms
             WHERE $6 OR ${ownerIsGone('$2')}
             RETURNING group_name
           )
           UPDATE ${group} AS g
           SET token = $2,
               handed_offset = greatest(handed_offset, fetched_offset),
               takeovers = CASE WHEN fetched_offset <= committed_offset THEN 0
                                WHEN committed_offset < suspect_offset THEN takeovers + 1
                                ELSE 1 END,
               suspect_offset = CASE WHEN fetched_offset <= committed_offset THEN committed_offset
                                     WHEN committed_offset < suspect_offset THEN suspect_offset
                                     ELSE fetched_offset END
           FROM taken WHERE g.group_name = taken.group_name
           RETURNING g.partition, g.committed_offset AS committed, g.fetched_offset AS fetched,
                     g.handed_offset AS handed, g.suspect_offset AS suspect, g.takeovers`,
          [this.name, claim.token, claim.worker, claim.ownerLock, claim.leaseMs, claim.force],
        ),
      { lockTimeoutMs: claimLockTimeoutMs },
    );
    return rows.length > 0 ? rows : undefined;
  }

  /** Says that the owner is awake. @returns False if somebody else has the group. */
  async heartbeat(token: string): Promise<boolean> {
    const { rowCount } = await this.#client.query(
      `UPDATE ${this.#tables.consumer} SET heartbeat_at = clock_timestamp()
       WHERE group_name = $1 AND token = $2`,
      [this.name, token],
      { prepared: true },
    );
    return rowCount > 0;
  }

  /**
   * Reads rows and notes, in the same statement, that they are handed out. Rows of a partition that
   * somebody else has taken over do not come back.
   */
  async fetch(token: string, ranges: readonly Range[]): Promise<LogRow[]> {
    return await this.#fetch(token, ranges, {
      set: 'fetched_offset = greatest(g.fetched_offset, handed.last + 1)',
      params: [],
    });
  }

  /** Like `fetch` for one row, and notes that it is the only one that is handed out. */
  async fetchAlone(
    token: string,
    { partition, from }: Omit<Range, 'take'>,
    takeovers: number,
  ): Promise<LogRow[]> {
    return await this.#fetch(token, [{ partition, from, take: 1 }], {
      set: 'fetched_offset = handed.last + 1, suspect_offset = handed.last + 1, takeovers = $6',
      params: [takeovers],
    });
  }

  /** Before rows are handed out one by one: forgets which others were. @returns False if the token is refused. */
  async isolate(token: string): Promise<boolean> {
    const { rowCount } = await this.#client.query(
      `UPDATE ${this.#tables.group} SET fetched_offset = committed_offset, suspect_offset = committed_offset
       WHERE group_name = $1 AND token = $2`,
      [this.name, token],
    );
    return rowCount > 0;
  }

  /**
   * Writes the watermarks, which never fall.
   *
   * @param fetched Also takes `fetched_offset` back to here, for rows that were read and not handed out.
   * @returns False if the token is refused.
   */
  async commit(
    token: string,
    marks: readonly { partition: number; committed: bigint; fetched?: bigint }[],
  ): Promise<boolean> {
    const { rowCount } = await this.#client.query(
      `UPDATE ${this.#tables.group} AS g
       SET committed_offset = greatest(g.committed_offset, mark.committed),
           fetched_offset = coalesce(mark.fetched, g.fetched_offset)
       FROM unnest($3::smallint[], $4::bigint[], $5::bigint[]) AS mark(partition, committed, fetched)
       WHERE g.group_name = $1 AND g.token = $2 AND g.partition = mark.partition`,
      [
        this.name,
        token,
        marks.map(({ partition }) => partition),
        marks.map(({ committed }) => committed),
        marks.map(({ fetched }) => fetched ?? null),
      ],
      { prepared: true },
    );
    return rowCount > 0;
  }

  /** Gives the group up, so that the next one need not wait. */
  async release(token: string): Promise<void> {
    await this.#client.query(
      `UPDATE ${this.#tables.consumer} SET owner_lock = NULL WHERE group_name = $1 AND token = $2`,
      [this.name, token],
    );
  }

  /**
   * Checks in a handler's transaction that the token is still good, and keeps it so until the end of
   * that transaction: the next owner waits for it.
   *
   * @throws {EventError} `CLAIM_LOST`
   */
  async fence(tx: object, token: string): Promise<void> {
    const { rowCount } = await joinable(tx).query(
      `SELECT 1 FROM ${this.#tables.consumer} WHERE group_name = $1 AND token = $2 FOR KEY SHARE`,
      [this.name, token],
      { prepared: true },
    );
    if (rowCount > 0) return;
    throw new EventError(
      'CLAIM_LOST',
      `another process consumes for group ${this.name} now; this one's writes are refused`,
      { key: this.name },
    );
  }

  async #fetch(
    token: string,
    ranges: readonly Range[],
    moved: { set: string; params: readonly unknown[] },
  ): Promise<LogRow[]> {
    const { log, group } = this.#tables;
    const { rows } = await this.#client.query<LogRow>(
      `WITH found AS MATERIALIZED (${readRanges(log, 3)}), moved AS (
         UPDATE ${group} AS g
         SET ${moved.set}, handed_offset = greatest(g.handed_offset, handed.last + 1)
         FROM (SELECT partition, max(log_offset) AS last FROM found GROUP BY partition) AS handed
         WHERE g.group_name = $1 AND g.token = $2 AND g.partition = handed.partition
         RETURNING g.partition
       )
       SELECT found.* FROM found JOIN moved USING (partition) ORDER BY partition, log_offset`,
      [this.name, token, ...rangeParams(ranges), ...moved.params],
      { prepared: true },
    );
    return rows;
  }
}

/**
 * The first offset of partition `h` that a new group gets; parameter `$2` is the time that was said.
 *
 * Rows get their time while the head is locked, so times follow offsets, except among the rows of one
 * append and where the clock was set back. There the group begins early rather than miss a row.
 */
function firstOffset(start: GroupStart, log: string): string {
  if (start === 'latest') return 'h.next_offset';
  // In milliseconds, because `timestamptz` cannot hold every `Date`.
  const since = `AND extract(epoch FROM l.appended_at) * 1000 >= $2::bigint`;
  return `coalesce((SELECT min(l.log_offset) FROM ${log} AS l
    WHERE l.partition = h.partition ${start === 'earliest' ? '' : since}), h.next_offset)`;
}
