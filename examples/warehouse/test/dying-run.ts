// node --conditions=source test/dying-run.ts <data folder> <manifest> <orders> <transactions>
//
// Runs the warehouse as main.ts does, and kills itself as hard as can be at the end of so many
// transactions, before the last of them commits.

import { loadInput } from '../src/input/load-input.ts';
import { openDatabase } from '../src/open-database.ts';
import { runWarehouse } from '../src/run-warehouse.ts';
import { dyingAfter } from './dying-after.ts';

const [dataFolder = '', manifest = '', orders = '', transactions = ''] = process.argv.slice(2);
const { database } = await openDatabase({ dataFolder, url: process.env.DATABASE_URL });
await runWarehouse(dyingAfter(database, Number(transactions)), {
  input: await loadInput(manifest, orders),
  seed: 'waybill',
  signal: new AbortController().signal,
  say: (line) => console.error(line),
});
console.error('The run has ended before it was killed.');
