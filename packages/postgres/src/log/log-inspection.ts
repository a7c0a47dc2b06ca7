import { groupOfPartitions } from '@waybill/core/adapter';
import type { PartitionInspection, TransportInspection } from '@waybill/core';

import { noLock } from '../client/lock-key.ts';
import { logStream } from './log-tables.ts';
import type { LogTables } from './log-tables.ts';
import type { SqlClient } from '../client/sql-client.ts';

interface PartitionRow extends PartitionInspection {
  readonly group: string;
}

/**
 * What the tables say of the log and its groups.
 *
 * @param isTaken Says whether somebody consumes for a group, where the lock of its owner cannot tell.
 */
export async function inspectLog(
  client: SqlClient,
  tables: LogTables,
  isTaken?: (group: string) => boolean,
): Promise<TransportInspection> {
  const [length, rows] = await Promise.all([
    lengthOfLog(client, tables),
    partitionsOf(client, tables),
  ]);
  const groups = [...Map.groupBy(rows, ({ group }) => group)].map(([name, own]) => {
    const isManned = isTaken?.(name) ?? true;
    return groupOfPartitions(
      name,
      own.map(({ group: _group, ...part }) => (isManned ? part : { ...part, member: undefined })),
    );
  });
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

/** Over an embedded database nobody has the lock of an owner, so each of them seems to be alive. */
async function partitionsOf(
  client: SqlClient,
  { head, group, consumer, log }: LogTables,
): Promise<PartitionRow[]> {
  const lockOfOwner =
    client.dialect === 'pglite'
      ? 'false'
      : `(c.owner_lock <> ${noLock} AND pg_try_advisory_xact_lock_shared(c.owner_lock))`;
  const { rows } = await client.query<Omit<PartitionRow, 'member'> & { member: string | null }>(
    `WITH owner AS MATERIALIZED (
       SELECT c.group_name, c.worker FROM ${consumer} AS c
       WHERE CASE WHEN c.owner_lock IS NULL
                    OR c.heartbeat_at + c.lease_ms * interval '1 millisecond' < clock_timestamp() THEN false
                  ELSE NOT ${lockOfOwner} END
     )
     SELECT g.group_name AS "group", g.partition, owner.worker AS member,
            g.committed_offset::float8 AS position, h.next_offset::float8 AS "end",
            (g.fetched_offset - g.committed_offset)::float8 AS pending,
            greatest(h.next_offset - g.fetched_offset, 0)::float8 AS lag,
            greatest(coalesce(extract(epoch FROM clock_timestamp() - oldest.appended_at), 0), 0)::float8
              AS "lagSeconds"
     FROM ${group} AS g
     JOIN ${head} AS h USING (partition)
     LEFT JOIN owner USING (group_name)
     LEFT JOIN LATERAL (
       SELECT e.appended_at FROM ${log} AS e
       WHERE e.partition = g.partition AND e.log_offset >= g.committed_offset
       ORDER BY e.log_offset LIMIT 1) AS oldest ON g.committed_offset < h.next_offset
     ORDER BY g.group_name, g.partition`,
    [],
  );
  return rows.map(({ member, ...row }) => ({ ...row, member: member ?? undefined }));
}
