// node --conditions=source test/dying-services.ts <manifest> <orders> <streams>
//
// Runs the warehouse as main.ts --distributed does, with services of which some die on the way.

import { join } from 'node:path';
import { inProcesses } from '../src/distributed/run-in-processes.ts';
import { readServers } from '../src/distributed/servers.ts';
import { loadInput } from '../src/input/load-input.ts';
import { openDatabase } from '../src/open-database.ts';
import { runWarehouse } from '../src/run-warehouse.ts';

const [manifest = '', orders = '', streams = ''] = process.argv.slice(2);
const { databaseUrl, redisUrl } = readServers(process.env);
const { database } = await openDatabase({ dataFolder: '', url: databaseUrl });
const entry = join(import.meta.dirname, 'dying-service.ts');
const job = {
  input: await loadInput(manifest, orders),
  seed: 'waybill',
  streams,
  signal: new AbortController().signal,
  say: (line: string) => console.error(line),
};
const runServices = inProcesses({ redisUrl, prefix: streams, manifest, orders, entry });
process.exitCode = await runWarehouse(database, job, runServices);
await database.close();
