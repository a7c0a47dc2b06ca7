import type { Clock, Observer } from '@waybill/core';
import type { TroubleSource } from '@waybill/core/adapter';

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

export interface LogPrunerOptions {
  readonly prune: () => Promise<number>;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly observe: Observer;
  /** In trouble while rows cannot be deleted. */
  readonly source: TroubleSource;
}

/** Deletes from time to time what may go. What cannot be deleted now is found again the next time. */
export class LogPruner {
  readonly #options: LogPrunerOptions;
  #cancel: (() => void) | undefined;
  #stopped = false;
  #isFailing = false;

  constructor(options: LogPrunerOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** Begins nothing any more. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #schedule(): void {
    const { clock, everyMs } = this.#options;
    this.#cancel = clock.schedule(everyMs, () => {
      this.#schedule();
      void this.#prune();
    });
  }

  async #prune(): Promise<void> {
    const { prune, source } = this.#options;
    try {
      await prune();
      this.#isFailing = false;
      source.gotOn();
    } catch (error) {
      if (this.#stopped) return;
      source.failed(error);
      if (!this.#isFailing) this.#warn(error);
      this.#isFailing = true;
    }
  }

  /** Once for each series of failures: each of them is in the health. */
  #warn(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `rows of the log that may go could not be deleted; it is tried again, and the log grows meanwhile: ${reason}`;
    this.#options.observe({ kind: 'warning', code: 'LOG_PRUNE_FAILED', message });
  }
}
