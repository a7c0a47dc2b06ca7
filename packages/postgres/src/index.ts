export { joinable } from './joinable.ts';
export { openPostgres } from './pg-client.ts';
export type { PostgresOptions } from './pg-client.ts';
export type { PgPool, PgPoolClient, PgQueryConfig, PgQueryResult } from './pg-driver.ts';
export type { PgTypes } from './pg-types.ts';
export { quoteIdentifier } from './quote-identifier.ts';
export type {
  SqlClient,
  SqlQueryable,
  SqlResult,
  SqlTransaction,
  StatementOptions,
} from './sql-client.ts';
export { sqlStateOf } from './sql-errors.ts';
export { migrate } from './migrate.ts';
export type { MigrateOptions } from './migrate.ts';
export { engineMigrations } from './migration-files.ts';
export type { MigrationSet } from './migration-files.ts';
export { printMigrations } from './print-migrations.ts';
export { PostgresEventStore } from './event-store.ts';
export type { PostgresEventStoreOptions } from './event-store.ts';
export { PostgresIdempotencyStore } from './idempotency-store.ts';
export type { PostgresIdempotencyStoreOptions } from './idempotency-store.ts';
export { PostgresOutbox } from './outbox.ts';
export type { PostgresOutboxOptions } from './outbox.ts';
export { PostgresInbox } from './inbox.ts';
export type { PostgresInboxOptions } from './inbox.ts';
export { PostgresDeadLetterQueue } from './dead-letter-queue.ts';
export type { PostgresDeadLetterQueueOptions } from './dead-letter-queue.ts';
export { PostgresLogTransport } from './log-transport.ts';
export type { PostgresLogTransportOptions } from './log-transport-options.ts';
export { PostgresEventBus } from './postgres-event-bus.ts';
export type { PostgresEventBusOptions } from './postgres-event-bus.ts';
