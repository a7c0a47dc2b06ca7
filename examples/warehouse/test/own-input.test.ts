import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { checkConservation } from '../src/conservation/check-conservation.ts';
import { loadInput } from '../src/input/load-input.ts';
import { openDatabase } from '../src/open-database.ts';
import { readReport } from '../src/report.ts';
import { runWarehouse } from '../src/run-warehouse.ts';

const long = (length: number) => 'x'.repeat(length);

/** Semicolons, CRLF, other names in another order, other scripts, and ids that look like one another. */
const manifest = [
  '\uFEFFUnit Retail;QTY;Lot #;Item Number;Product Description;Department;Item Condition;Consignor;Client',
  '"1,299.99";3;1001;1001;Ünïcode “Gerät” 電子;電子レンジ;Customer Returns;;',
  '0;1;1001;a/b;Thing for nothing;Beauty;for parts;;',
  `49.99;2;Lot 12/B;1;${long(200)};${'/'.repeat(200)};NEW;;`,
  `49.99;1;${long(60)};${long(60)};Long ids;Electronics;Salvage;;`,
  '80.00;4;c;1;Camera;Electronics;Used;1001;',
  '80.00;2;1001/1001;1;Toy;Toys;Used;;1001',
].join('\r\n');

const orders = [
  'type,id,lot,item,unit,buyer,amount,date',
  'order,1001,1001,1001,1,1001,,2026-01-01',
  'order,o2,1001,1001,1,1001,,2025-01-01',
  'bid,1001/1001,1001,1001,2,dora,0.01,2026-01-01',
  'bid,BILL-1001/1001,c,1,1,dora,900,2026-01-01',
  'bid,b3,c,1,1,emil,900,2026-01-01',
  'order,INV-1001,c,1,2,carl,,2026-01-01',
  'release,r1,1001/1001,1,1,1001,,2026-01-02',
  'release,r0,1001/1001,1,1,1001,,2026-01-01',
].join('\n');

it('runs a manifest as awkward as people have them, and loses nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-own-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'my.csv'), manifest);
  await writeFile(join(folder, 'mine.csv'), orders);
  const input = await loadInput(join(folder, 'my.csv'), join(folder, 'mine.csv'));
  expect(input.rejects).toEqual([]);
  const { database } = await openDatabase({ dataFolder: folder });
  onTestFinished(() => database.close());

  const { signal } = new AbortController();
  await runWarehouse(database, { input, seed: 'awkward', signal, say: () => {} });

  expect(await checkConservation(database)).toEqual([]);
  const { units, deadLetters, states } = await readReport(database);
  expect({ units, deadLetters }).toEqual({ units: 13, deadLetters: [] });
  expect(states).toContainEqual({ name: 'released', count: 1 });
  expect(states).toContainEqual({ name: 'stored', count: 1 });
  const { rows } = await database.query(
    "SELECT order_id FROM quick3plz_unit WHERE order_id = 'r0'",
  );
  expect(rows).toHaveLength(1);
}, 120_000);
