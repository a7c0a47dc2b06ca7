import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SqlClient } from '@quickwms/events';
import { loadInput } from '../src/input/load-input.ts';
import { openDatabase } from '../src/open-database.ts';
import { runWarehouse } from '../src/run-warehouse.ts';
import { writeSmallInput } from './small-input.ts';

/** An embedded database in which a small run has settled. */
export interface SettledWarehouse {
  readonly database: SqlClient;
  readonly remove: () => Promise<void>;
}

/** Runs the small input to its end in a folder of its own. */
export async function settleWarehouse(): Promise<SettledWarehouse> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-warehouse-'));
  const files = await writeSmallInput(folder);
  const input = await loadInput(files.manifest, files.orders);
  const { database } = await openDatabase({ dataFolder: folder });
  await runWarehouse(database, {
    input,
    seed: 'waybill',
    signal: new AbortController().signal,
    say: () => {},
  });
  return {
    database,
    async remove() {
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
}
