import { EventError } from '@waybill/core';
import type { GroupStart } from '@waybill/core';
import type { Range } from '@waybill/core/adapter';

import { joinable } from '../client/joinable.ts';
import { noLock } from '../client/lock-key.ts';
import { rangeParams, readRanges } from './log-rows.ts';
import type { LogRow } from './log-rows.ts';
import { readPlace, readStanding } from './log-standing.ts';
import type { GroupStanding, Place } from './log-standing.ts';
import { firstOffset } from './log-start.ts';
import type { LogTables } from './log-tables.ts';
import { secondsOf, signOfLife, writeWatermarks } from './log-watermarks.ts';
import type { NewMark, OwnMark, WatermarkOutcome, Writer } from './log-watermarks.ts';
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
  /** When it was claimed, in seconds by the database's clock. */
  readonly aliveAt: number;
}

/** Who has a group right now, as far as a glance can tell. */
export interface Occupant {
  readonly worker: string;
  /** True if it gave the group up in good order. */
  readonly released: boolean;
  /** True if the group may be taken. */
  readonly free: boolean;
  /** True if it is this process, as far as its lock tells. */
  readonly own: boolean;
  /** When this was, in seconds by the database's clock. */
  readonly aliveAt: number;
}

export interface Claim {
  readonly token: string;
  readonly worker: string;
  /** Advisory lock that this process holds while it lives, or `noLock`. */
  readonly ownerLock: bigint;
  readonly leaseMs: number;
  /**
   * Takes the group whatever the occupant's lock says: `all` where this process is the only one, `own` where the
   * lock may be one of its own, from a state of the database that was put back.
   */
  readonly force: 'all' | 'own' | 'none';
  /** What may have been handed out and is not noted, by partition: everything below. */
  readonly handed: ReadonlyMap<number, bigint>;
}

/** How an owner is known: its token, and its last sign of life in seconds by the database's clock. */
export type Owner = Omit<Writer, 'group'>;

/** What to read, and what is known to be noted as handed out in its partition. */
export interface OwnRange extends Range {
  readonly noted: bigint;
}

/** Longest wait for transactions of the former owner that have passed its fence. */
const claimLockTimeoutMs = 1_000;

/** Also true for one's own claim whose answer got lost; `token` is the parameter that holds its token. */
const ownerIsGone = (token: string): string => `(c.owner_lock IS NULL OR c.token = ${token}
  OR c.heartbeat_at + c.lease_ms * interval '1 millisecond' < clock_timestamp()
  OR (c.owner_lock <> ${noLock} AND pg_try_advisory_xact_lock_shared(c.owner_lock)))`;

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

  /** Looks where the group stands in the log as it is. @param offsets Where to look what lies there. */
  async standing(offsets: ReadonlyMap<number, bigint>): Promise<GroupStanding> {
    return await readStanding(this.#client, this.#tables, this.name, offsets);
  }

  /** Looks what lies in the log from an offset on. */
  async place(at: { partition: number; from: bigint }): Promise<Place> {
    return await readPlace(this.#client, this.#tables, at);
  }

  /**
   * Looks who has the group, without taking it.
   *
   * @param token With which it is going to be claimed.
   * @param ownerLock Of this process.
   */
  async occupant(token: string, ownerLock: bigint): Promise<Occupant | undefined> {
    const { rows } = await this.#client.query<Occupant>(
      `SELECT worker, owner_lock IS NULL AS released, ${ownerIsGone('$2')} AS free,
              owner_lock IS NOT DISTINCT FROM $3 AND $3 <> ${noLock} AS own, ${secondsOf('clock_timestamp()')} AS "aliveAt"
       FROM ${this.#tables.consumer} AS c WHERE group_name = $1`,
      [this.name, token, ownerLock],
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
             WHERE $6 = 'all' OR ($6 = 'own' AND c.owner_lock = $4 AND $4 <> ${noLock}) OR ${ownerIsGone('$2')}
             RETURNING group_name, ${secondsOf('heartbeat_at')} AS alive_at
           )
           UPDATE ${group} AS g
           SET token = $2,
               handed_offset = greatest(handed_offset, fetched_offset, (
                 SELECT reached FROM unnest($7::smallint[], $8::bigint[]) AS known(partition, reached)
                 WHERE known.partition = g.partition)),
               takeovers = CASE WHEN fetched_offset <= committed_offset THEN 0
                                WHEN committed_offset < suspect_offset THEN takeovers + 1
                                ELSE 1 END,
               suspect_offset = CASE WHEN fetched_offset <= committed_offset THEN committed_offset
                                     WHEN committed_offset < suspect_offset THEN suspect_offset
                                     ELSE fetched_offset END
           FROM taken WHERE g.group_name = taken.group_name
           RETURNING g.partition, g.committed_offset AS committed, g.fetched_offset AS fetched,
                     g.handed_offset AS handed, g.suspect_offset AS suspect, g.takeovers,
                     taken.alive_at AS "aliveAt"`,
          [
            this.name,
            claim.token,
            claim.worker,
            claim.ownerLock,
            claim.leaseMs,
            claim.force,
            [...claim.handed.keys()],
            [...claim.handed.values()],
          ],
        ),
      { lockTimeoutMs: claimLockTimeoutMs, holds: 'briefly' },
    );
    return rows.length > 0 ? rows : undefined;
  }

  /** Says that the owner is awake; see `signOfLife`. */
  async heartbeat(owner: Owner, marks: readonly OwnMark[]): Promise<number | undefined> {
    return await signOfLife(this.#client, this.#tables, this.#writer(owner), marks);
  }

  /**
   * Reads rows and notes, in the same statement, that they are handed out. Rows of a partition that somebody
   * else has taken over do not come back, nor those of one in which an older state was put back.
   */
  async fetch(token: string, ranges: readonly OwnRange[]): Promise<LogRow[]> {
    return await this.#fetch(token, ranges, {
      set: 'fetched_offset = greatest(g.fetched_offset, handed.last + 1)',
      params: [],
    });
  }

  /** Like `fetch` for one row, and notes that it is the only one that is handed out. */
  async fetchAlone(
    token: string,
    range: Omit<OwnRange, 'take'>,
    takeovers: number,
  ): Promise<LogRow[]> {
    return await this.#fetch(token, [{ ...range, take: 1 }], {
      set: 'fetched_offset = handed.last + 1, suspect_offset = handed.last + 1, takeovers = $7',
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

  /** Writes the watermarks; see `writeWatermarks`. */
  async commit(
    owner: Owner,
    marks: readonly NewMark[],
    version: string | undefined,
  ): Promise<WatermarkOutcome> {
    return await writeWatermarks(this.#client, this.#tables, this.#writer(owner), marks, version);
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

  #writer(owner: Owner): Writer {
    return { ...owner, group: this.name };
  }

  async #fetch(
    token: string,
    ranges: readonly OwnRange[],
    moved: { set: string; params: readonly unknown[] },
  ): Promise<LogRow[]> {
    const { log, group } = this.#tables;
    const { rows } = await this.#client.query<LogRow>(
      `WITH found AS MATERIALIZED (${readRanges(log, 3)}), moved AS (
         UPDATE ${group} AS g
         SET ${moved.set}, handed_offset = greatest(g.handed_offset, handed.last + 1)
         FROM (SELECT partition, max(log_offset) AS last FROM found GROUP BY partition) AS handed
         JOIN unnest($3::smallint[], $6::bigint[]) AS own(partition, noted) USING (partition)
         WHERE g.group_name = $1 AND g.token = $2 AND g.partition = handed.partition
           AND g.fetched_offset >= own.noted
         RETURNING g.partition
       )
       SELECT found.* FROM found JOIN moved USING (partition) ORDER BY partition, log_offset`,
      [this.name, token, ...rangeParams(ranges), ranges.map(({ noted }) => noted), ...moved.params],
      { prepared: true },
    );
    return rows;
  }
}
