import { ManualClock } from '@waybill/core/memory';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { waiting } from '../../test/log-bench.ts';
import type { SqlClient, SqlResult } from '../client/sql-client.ts';
import { LogHeads } from './log-heads.ts';
import { logTables } from './log-tables.ts';

/** A database of one partition, as far as heads ask it. */
class OnePartition implements SqlClient {
  readonly dialect = 'postgres';
  end = 0n;
  connection = 1;
  listens = 0;
  failingListens = 0;

  async query<Row extends object>(): Promise<SqlResult<Row>> {
    const row = {
      partition: 0,
      next_offset: this.end,
      connection: this.connection,
      origin: 'one',
      looked_at: 1,
    };
    return { rows: [row as unknown as Row], rowCount: 1 };
  }

  async run(): Promise<never> {
    throw new Error('nothing runs here');
  }

  async listen(): Promise<() => Promise<void>> {
    this.listens += 1;
    if (this.listens <= this.failingListens) throw new Error('no notices');
    return async () => {};
  }

  async close(): Promise<void> {}
}

describe('how far the log reaches', () => {
  const database = new OnePartition();
  const clock = new ManualClock(0);
  const heads = new LogHeads({
    client: database,
    schema: 'public',
    tables: logTables('public'),
    clock,
    pollMs: 100,
    noticeEveryMs: 20,
  });
  afterEach(() => heads.stop());

  it('falls when the log is shorter, and tells how long it was', async () => {
    database.end = 10n;
    await heads.refresh();
    const { version } = heads;
    database.end = 4n;
    await heads.refresh();
    expect([heads.of(0), heads.history.falls, heads.history.longest.get(0)]).toEqual([4n, 1, 10n]);
    expect(heads.version).not.toBe(version);
  });

  it('has another epoch for each new connection, and for no other look', async () => {
    await heads.refresh();
    const { epoch } = heads;
    await heads.refresh();
    expect([heads.epoch, heads.meet(1)]).toEqual([epoch, true]);
    database.connection = 2;
    await heads.refresh();
    expect([heads.epoch > epoch, heads.meet(2), heads.meet(3)]).toEqual([true, true, false]);
  });

  it('is listened for again after that has failed', async () => {
    database.listens = 0;
    database.failingListens = 2;
    heads.start();
    await vi.waitFor(async () => {
      await clock.advance(500);
      expect(database.listens).toBe(3);
    }, waiting);
    for (let round = 0; round < 10; round += 1) await clock.advance(500);
    expect(database.listens).toBe(3);
  });
});
