// node --conditions=source test/dying-run.ts <data folder> <manifest> <orders> <transactions>
//
// Runs the warehouse as main.ts does, and kills itself as hard as can be at the end of so many
// transactions, before the last of them commits.

import type { SqlClient } from '@quickwms/events';
import { loadInput } from '../src/input/load-input.ts';
import { openDatabase } from '../src/open-database.ts';
import { runWarehouse } from '../src/run-warehouse.ts';

const [dataFolder = '', manifest = '', orders = '', transactions = ''] = process.argv.slice(2);
const { database } = await openDatabase({ dataFolder, url: process.env.DATABASE_URL });
await runWarehouse(dyingAfter(database, Number(transactions)), {
  input: await loadInput(manifest, orders),
  seed: 'waybill',
  signal: new AbortController().signal,
  say: (line) => console.error(line),
});
console.error('The run has ended before it was killed.');

function dyingAfter(client: SqlClient, limit: number): SqlClient {
  let count = 0;
  const run: SqlClient['run'] = (work, options) =>
    client.run(async (tx) => {
      const result = await work(tx);
      count += 1;
      if (count === limit) process.kill(process.pid, 'SIGKILL');
      return result;
    }, options);
  return new Proxy(client, {
    get(target, name) {
      if (name === 'run') return run;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
