import type { LogTables } from './log-tables.ts';
import type { SqlClient } from '../client/sql-client.ts';

const batch = 10_000;

/**
 * Deletes rows of the log that every group has finished and that are old enough.
 *
 * @param olderThanMs By the database's clock, in milliseconds.
 * @returns How many.
 */
export async function pruneLog(
  client: SqlClient,
  tables: LogTables,
  olderThanMs: number,
): Promise<number> {
  let pruned = 0;
  for (;;) {
    const deleted = await pruneBatch(client, tables, olderThanMs);
    pruned += deleted;
    if (deleted === 0) return pruned;
  }
}

/** The oldest rows of each partition; within one, age follows the offset. */
async function pruneBatch(
  client: SqlClient,
  { log, head, group }: LogTables,
  olderThanMs: number,
): Promise<number> {
  const { rowCount } = await client.query(
    `WITH passed AS (
       SELECT h.partition, coalesce(min(g.committed_offset), h.next_offset) AS until
       FROM ${head} AS h LEFT JOIN ${group} AS g USING (partition)
       GROUP BY h.partition
     ), oldest AS (
       SELECT o.partition, o.log_offset FROM passed
       CROSS JOIN LATERAL (
         SELECT partition, log_offset, appended_at FROM ${log} AS l
         WHERE l.partition = passed.partition AND l.log_offset < passed.until
         ORDER BY log_offset LIMIT $2) AS o
       WHERE o.appended_at < clock_timestamp() - $1::float8 * interval '1 millisecond'
     )
     DELETE FROM ${log} AS l USING oldest
     WHERE l.partition = oldest.partition AND l.log_offset = oldest.log_offset`,
    [olderThanMs, batch],
  );
  return rowCount;
}
