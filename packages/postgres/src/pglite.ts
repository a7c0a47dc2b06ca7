export { openEmbedded } from './embedded/embedded.ts';
export { openPglite } from './client/pglite-client.ts';
export type { PgliteOptions } from './client/pglite-client.ts';
export type { PgliteDatabase, PgliteQueryable } from './client/pglite-driver.ts';
