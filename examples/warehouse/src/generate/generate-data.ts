// npm run generate: writes data/manifest.csv and data/orders.csv anew; they never change by chance.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest } from '../input/read-manifest.ts';
import { unitsOf } from '../input/unit.ts';
import { generateManifest } from './generate-manifest.ts';
import { generateOrders } from './generate-orders.ts';

const folder = join(import.meta.dirname, '..', '..', 'data');
const manifest = generateManifest();
const units = unitsOf(readManifest(Buffer.from(manifest)).lines);
await writeFile(join(folder, 'manifest.csv'), manifest);
await writeFile(join(folder, 'orders.csv'), generateOrders(units));
