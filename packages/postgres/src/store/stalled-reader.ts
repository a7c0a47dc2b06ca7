import type { SqlQueryable } from '../client/sql-client.ts';

/** The writing transaction that has been open longest, in whatever database of the server. */
const oldestWriter = `
  SELECT pid, datname AS database, application_name AS application, state,
         round(extract(epoch FROM clock_timestamp() - xact_start))::int AS "ageSeconds"
  FROM pg_stat_activity
  WHERE backend_xid IS NOT NULL
  ORDER BY age(backend_xid) DESC
  LIMIT 1`;

const oldestPrepared = `
  SELECT gid, database, round(extract(epoch FROM clock_timestamp() - prepared))::int AS "ageSeconds"
  FROM pg_prepared_xacts
  ORDER BY age(transaction) DESC
  LIMIT 1`;

interface Writer {
  pid: number;
  database: string;
  application: string;
  state: string | null;
  ageSeconds: number;
}

/** Says who keeps readers of the event store from going on, and what to do. */
export async function describeStall(db: SqlQueryable): Promise<string> {
  const what =
    'readers of the event store wait for a transaction that has written and is still open';
  const writer = (await db.query<Writer>(oldestWriter, [])).rows[0];
  if (writer) {
    const { pid, database, application, state, ageSeconds } = writer;
    return `${what}: process ${pid} (${application || 'unnamed'}) in database ${database}, ${state ?? 'state hidden'} for ${ageSeconds} s; end it, or bound such sessions with idle_in_transaction_session_timeout`;
  }
  const prepared = (
    await db.query<{ gid: string; database: string; ageSeconds: number }>(oldestPrepared, [])
  ).rows[0];
  if (prepared) {
    return `${what}: prepared transaction ${prepared.gid} in database ${prepared.database}, for ${prepared.ageSeconds} s; commit it or roll it back`;
  }
  return what;
}
