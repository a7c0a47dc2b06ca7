import type { TakenBack } from './log-position.ts';
import type { LogTables } from './log-tables.ts';
import type { SqlQueryable } from '../client/sql-client.ts';

/** What an owner of a group has written in one partition, as far as it knows. */
export interface OwnMark {
  readonly partition: number;
  /** The watermark whose writing was confirmed last. */
  readonly least: bigint;
  /** The furthest watermark that was sent: its answer may have been lost. */
  readonly most: bigint;
  /** Everything below was noted as handed out, before it was. */
  readonly noted: bigint;
  /** The youngest row that was read here, if any was. */
  readonly last: { readonly offset: bigint; readonly eventId: string } | undefined;
}

/** A watermark on its way to the database. */
export interface NewMark extends OwnMark {
  readonly committed: bigint;
  /** For rows that were read and not handed out, or only waited. */
  readonly takenBack: TakenBack | undefined;
}

/** Who writes: the group, the token with which it was claimed, and the last sign of life that was confirmed. */
export interface Writer {
  readonly group: string;
  readonly token: string;
  /** Seconds since the epoch by the database's clock. */
  readonly aliveAt: number;
}

/**
 * What became of watermarks: `token` if somebody else has the group; `displaced` if the database is not as this
 * owner has left it, since an older state was put back; `outdated` if the group's registry has another version.
 */
export type WatermarkOutcome = 'written' | 'token' | 'displaced' | 'outdated';

/**
 * Writes watermarks over those that this owner wrote last, all of them or none: the one statement that settles.
 *
 * An owner alone moves its rows, and none of their columns falls while it has them. So where one of them is lower
 * than was confirmed, or the sign of life is older, the rows come from an earlier time; and what is behind them
 * in the log need not be what was handed out.
 *
 * @param version Of the group's registry, by which everything below the watermarks was judged. A registration that
 *   has committed by then is seen, and one that comes later waits: the row stays locked until the end.
 */
export async function writeWatermarks(
  client: SqlQueryable,
  { group, consumer, registry }: LogTables,
  { group: name, token, aliveAt }: Writer,
  marks: readonly NewMark[],
  version: string | undefined,
): Promise<WatermarkOutcome> {
  const { rows } = await client.query<Verdict>(
    `WITH registry AS MATERIALIZED (
       SELECT version FROM ${registry} WHERE group_name = $1 AND $10::text IS NOT NULL FOR SHARE
     ), mark AS MATERIALIZED (
       SELECT * FROM unnest($3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $11::bigint[])
         AS mark(partition, committed, fetched, least, most, noted, handed)
     ), own AS MATERIALIZED (
       SELECT g.committed_offset BETWEEN mark.least AND mark.most AND g.fetched_offset >= mark.noted AS stands
       FROM ${group} AS g JOIN mark USING (partition)
       WHERE g.group_name = $1 AND g.token = $2 ORDER BY g.partition FOR UPDATE OF g
     ), verdict AS MATERIALIZED (
       SELECT (SELECT count(*) FROM own) = (SELECT count(*) FROM mark) AS "isOwner",
              NOT EXISTS (SELECT FROM own WHERE NOT stands)
              AND EXISTS (SELECT FROM ${consumer} WHERE group_name = $1 AND ${secondsOf('heartbeat_at')} >= $9)
              AS stands,
              $10::text IS NULL OR EXISTS (SELECT FROM registry WHERE version::text = $10) AS "isCurrent"
     ), written AS (
       UPDATE ${group} AS g
       SET committed_offset = mark.committed, fetched_offset = coalesce(mark.fetched, g.fetched_offset),
           handed_offset = greatest(g.handed_offset, mark.handed)
       FROM mark, verdict
       WHERE verdict."isOwner" AND verdict.stands AND verdict."isCurrent"
         AND g.group_name = $1 AND g.token = $2 AND g.partition = mark.partition
     )
     SELECT "isOwner", stands, "isCurrent" FROM verdict`,
    [
      name,
      token,
      marks.map(({ partition }) => partition),
      marks.map(({ committed }) => committed),
      marks.map(({ takenBack }) => takenBack?.fetched ?? null),
      marks.map(({ least }) => least),
      marks.map(({ most }) => most),
      marks.map(({ noted }) => noted),
      aliveAt,
      version ?? null,
      marks.map(({ takenBack }) => takenBack?.handed ?? null),
    ],
    { prepared: true },
  );
  const { isOwner, stands, isCurrent } = rows[0]!;
  if (!isOwner) return 'token';
  if (!stands) return 'displaced';
  return isCurrent ? 'written' : 'outdated';
}

interface Verdict {
  readonly isOwner: boolean;
  readonly stands: boolean;
  readonly isCurrent: boolean;
}

/**
 * Says that the owner is awake, if the database is still as it has left it: the rows of the group, its last sign
 * of life, and the log up to the youngest row that it has read.
 *
 * @returns When that was, in seconds since the epoch; nothing if somebody else has the group, or an older state was
 *   put back.
 */
export async function signOfLife(
  client: SqlQueryable,
  { group, consumer, head, log }: LogTables,
  { group: name, token, aliveAt }: Writer,
  marks: readonly OwnMark[],
): Promise<number | undefined> {
  const { rows } = await client.query<{ aliveAt: number }>(
    `UPDATE ${consumer} SET heartbeat_at = clock_timestamp()
     WHERE group_name = $1 AND token = $2 AND ${secondsOf('heartbeat_at')} >= $3
       AND NOT EXISTS (
         SELECT FROM unnest($4::smallint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[])
           AS mark(partition, least, noted, last_offset, last_id)
         LEFT JOIN ${group} AS g ON g.group_name = $1 AND g.partition = mark.partition
         LEFT JOIN ${head} AS h ON h.partition = mark.partition
         LEFT JOIN ${log} AS l ON l.partition = mark.partition AND l.log_offset = mark.last_offset
         WHERE g.token IS DISTINCT FROM $2 OR g.committed_offset < mark.least
            OR g.fetched_offset < mark.noted OR coalesce(h.next_offset, 0) < mark.noted
            OR l.event_id <> mark.last_id)
     RETURNING ${secondsOf('heartbeat_at')} AS "aliveAt"`,
    [
      name,
      token,
      aliveAt,
      marks.map(({ partition }) => partition),
      marks.map(({ least }) => least),
      marks.map(({ noted }) => noted),
      marks.map(({ last }) => last?.offset ?? null),
      marks.map(({ last }) => last?.eventId ?? null),
    ],
    { prepared: true },
  );
  return rows[0]?.aliveAt;
}

/** A time as a number of seconds that comes back as it went out. */
export function secondsOf(column: string): string {
  return `extract(epoch FROM ${column})::float8`;
}
