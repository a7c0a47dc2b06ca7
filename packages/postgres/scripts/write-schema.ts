// Writes schema.sql: node --conditions=source packages/postgres/scripts/write-schema.ts

import { writeFile } from 'node:fs/promises';

import { openPglite } from '../src/client/pglite-client.ts';
import { engineSchema } from '../test/engine-schema.ts';

const client = await openPglite({ memory: true });
await writeFile(new URL('../schema.sql', import.meta.url), await engineSchema(client));
await client.close();
