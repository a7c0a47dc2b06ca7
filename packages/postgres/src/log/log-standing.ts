import type { LogTables } from './log-tables.ts';
import type { SqlQueryable } from '../client/sql-client.ts';

/** A partition of the log, and where a group stands in it, as the database says at one moment. */
export interface LogStanding {
  readonly partition: number;
  /** The next free offset. */
  readonly end: bigint;
  /** Where the group stands; nothing if it is missing. */
  readonly group:
    | {
        readonly committed: bigint;
        readonly fetched: bigint;
        readonly handed: bigint;
        readonly token: string | null;
      }
    | undefined;
  /** What lies at the offset that was asked for; nothing if nothing does. */
  readonly eventId: string | undefined;
}

/** Where a group stands, and since when somebody is known to have had it. */
export interface GroupStanding {
  readonly partitions: readonly LogStanding[];
  /** True if somebody has ever had the group, as far as this database knows. */
  readonly wasOwned: boolean;
}

interface StandingRow {
  readonly partition: number;
  readonly end: bigint;
  readonly committed: bigint | null;
  readonly fetched: bigint;
  readonly handed: bigint;
  readonly token: string | null;
  readonly eventId: string | null;
  readonly wasOwned: boolean;
}

/** Reads where a group stands. @param offsets Where to look what lies there, by partition. */
export async function readStanding(
  client: SqlQueryable,
  { group, head, consumer, log }: LogTables,
  name: string,
  offsets: ReadonlyMap<number, bigint>,
): Promise<GroupStanding> {
  const { rows } = await client.query<StandingRow>(
    `SELECT h.partition, h.next_offset AS "end", g.committed_offset AS committed,
            g.fetched_offset AS fetched, greatest(g.handed_offset, g.fetched_offset) AS handed, g.token,
            l.event_id AS "eventId", EXISTS (SELECT FROM ${consumer} WHERE group_name = $1) AS "wasOwned"
     FROM ${head} AS h
     LEFT JOIN ${group} AS g ON g.group_name = $1 AND g.partition = h.partition
     LEFT JOIN unnest($2::smallint[], $3::bigint[]) AS place(partition, log_offset)
       ON place.partition = h.partition
     LEFT JOIN ${log} AS l ON l.partition = place.partition AND l.log_offset = place.log_offset
     ORDER BY h.partition`,
    [name, [...offsets.keys()], [...offsets.values()]],
    { prepared: true },
  );
  const partitions = rows.map(({ partition, end, committed, eventId, ...at }): LogStanding => {
    const { fetched, handed, token } = at;
    const place = committed === null ? undefined : { committed, fetched, handed, token };
    return { partition, end, group: place, eventId: eventId ?? undefined };
  });
  return { partitions, wasOwned: rows.some(({ wasOwned }) => wasOwned) };
}

/** What the database says of a place where rows were expected. */
export interface Place {
  /** The first offset from there on at which something lies; nothing if nothing does. */
  readonly first: bigint | undefined;
  /** The next free offset of the partition. */
  readonly end: bigint;
}

/** Looks at one moment what lies from an offset on, and how far the partition reaches. */
export async function readPlace(
  client: SqlQueryable,
  { head, log }: LogTables,
  { partition, from }: { partition: number; from: bigint },
): Promise<Place> {
  const { rows } = await client.query<{ first: bigint | null; end: bigint }>(
    `SELECT h.next_offset AS "end",
            (SELECT min(l.log_offset) FROM ${log} AS l
             WHERE l.partition = h.partition AND l.log_offset >= $2::bigint) AS first
     FROM ${head} AS h WHERE h.partition = $1`,
    [partition, from],
    { prepared: true },
  );
  return { first: rows[0]?.first ?? undefined, end: rows[0]?.end ?? 0n };
}
