export { openEmbedded } from './embedded.ts';
export { openPglite } from './pglite-client.ts';
export type { PgliteOptions } from './pglite-client.ts';
export type { PgliteDatabase, PgliteQueryable } from './pglite-driver.ts';
