import { lockKey } from '../client/lock-key.ts';
import type { SqlClient } from '../client/sql-client.ts';

/** A deletion of some rows, with its parameters. */
export interface Batch {
  readonly text: string;
  readonly params: readonly unknown[];
}

/** Neither a lock nor a slow disk may keep the others from pruning for good. */
const limits = {
  holds: 'briefly',
  statementTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
  lockTimeoutMs: 5_000,
} as const;

/**
 * Deletes one batch, unless another process prunes this schema at the moment. The lock goes with the transaction,
 * so that pruning keeps no connection, and works behind a pooler.
 *
 * @returns How many rows went; `undefined` if another process has the lock.
 */
export async function deleteBatch(
  client: SqlClient,
  schema: string,
  { text, params }: Batch,
): Promise<number | undefined> {
  return await client.run(async (tx) => {
    const { rows } = await tx.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_xact_lock($1) AS locked',
      [pruneLock(schema)],
    );
    return rows[0]!.locked ? (await tx.query(text, params)).rowCount : undefined;
  }, limits);
}

/** Key of the advisory lock that whoever prunes a schema has. */
export function pruneLock(schema: string): bigint {
  return lockKey('prune', schema);
}
