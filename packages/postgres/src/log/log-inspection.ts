import type { GroupInspection, TransportInspection } from '@waybill/core';

import { logStream } from './log-tables.ts';
import type { LogTables } from './log-tables.ts';
import type { SqlClient } from '../client/sql-client.ts';

/** What the tables say of the log and its groups. */
export async function inspectLog(
  client: SqlClient,
  tables: LogTables,
): Promise<TransportInspection> {
  const [length, groups] = await Promise.all([
    lengthOfLog(client, tables),
    inspectGroups(client, tables),
  ]);
  return { streams: [{ name: logStream, length, groups }] };
}

/** Offsets are dense, so the ends of each partition tell how many rows lie between them. */
async function lengthOfLog(client: SqlClient, { head, log }: LogTables): Promise<number> {
  const { rows } = await client.query<{ length: number }>(
    `SELECT coalesce(sum(h.next_offset - l.first), 0)::float8 AS length
     FROM ${head} AS h
     CROSS JOIN LATERAL (SELECT min(log_offset) AS first FROM ${log} AS e
                         WHERE e.partition = h.partition) AS l`,
    [],
  );
  return rows[0]!.length;
}

async function inspectGroups(
  client: SqlClient,
  { head, group, consumer }: LogTables,
): Promise<GroupInspection[]> {
  const { rows } = await client.query<GroupInspection>(
    `SELECT g.group_name AS name, g.pending, g.lag,
            CASE WHEN c.owner_lock IS NULL
                   OR c.heartbeat_at + c.lease_ms * interval '1 millisecond' < clock_timestamp() THEN 0
                 WHEN pg_try_advisory_xact_lock_shared(c.owner_lock) THEN 0
                 ELSE 1 END AS consumers
     FROM (SELECT group_name,
                  sum(fetched_offset - committed_offset)::float8 AS pending,
                  sum(greatest(next_offset - fetched_offset, 0))::float8 AS lag
           FROM ${group} JOIN ${head} USING (partition) GROUP BY group_name) AS g
     LEFT JOIN ${consumer} AS c USING (group_name)
     ORDER BY name`,
    [],
  );
  return rows;
}
