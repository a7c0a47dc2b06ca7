export { joinable } from './joinable.ts';
export { openPostgres } from './pg-client.ts';
export type { PostgresOptions } from './pg-client.ts';
export type { PgPool, PgPoolClient, PgQueryConfig, PgQueryResult } from './pg-driver.ts';
export type { PgTypes } from './pg-types.ts';
export { quoteIdentifier } from './quote-identifier.ts';
export type { SqlClient, SqlQueryable, SqlResult, SqlTransaction } from './sql-client.ts';
export { sqlStateOf } from './sql-errors.ts';
