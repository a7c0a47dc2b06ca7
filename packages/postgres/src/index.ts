export { joinable } from './client/joinable.ts';
export { openPostgres } from './client/pg-client.ts';
export type { PostgresOptions } from './client/pg-client.ts';
export type { PgPool, PgPoolClient, PgQueryConfig, PgQueryResult } from './client/pg-driver.ts';
export type { PgTypes } from './client/pg-types.ts';
export { quoteIdentifier } from './client/quote-identifier.ts';
export type {
  SqlClient,
  SqlQueryable,
  SqlResult,
  SqlTransaction,
  StatementOptions,
} from './client/sql-client.ts';
export { sqlStateOf } from './client/sql-errors.ts';
export { migrate } from './migrate/migrate.ts';
export type { MigrateOptions } from './migrate/migrate.ts';
export { engineMigrations } from './migrate/migration-files.ts';
export type { MigrationSet } from './migrate/migration-files.ts';
export { printMigrations } from './migrate/print-migrations.ts';
export { PostgresEventStore } from './store/event-store.ts';
export type { PostgresEventStoreOptions } from './store/event-store.ts';
export { PostgresIdempotencyStore } from './idempotency/idempotency-store.ts';
export type { PostgresIdempotencyStoreOptions } from './idempotency/idempotency-store.ts';
export { PostgresOutbox } from './outbox/outbox.ts';
export type { PostgresOutboxOptions } from './outbox/outbox.ts';
export { PostgresInbox } from './consume/inbox.ts';
export type { PostgresInboxOptions } from './consume/inbox.ts';
export { consumerDatabase } from './consume/consumer-database.ts';
export type { ConsumerDatabaseOptions } from './consume/consumer-database.ts';
export type { PruneOptions } from './prune/prune-options.ts';
export { PostgresHandoverQueue } from './consume/handover-queue.ts';
export type { PostgresHandoverQueueOptions } from './consume/handover-queue.ts';
export { PostgresDeadLetterQueue } from './consume/dead-letter-queue.ts';
export type { PostgresDeadLetterQueueOptions } from './consume/dead-letter-queue.ts';
export { PostgresLogTransport } from './log/log-transport.ts';
export type { PostgresLogTransportOptions } from './log/log-transport-options.ts';
export { PostgresEventBus } from './bus/postgres-event-bus.ts';
export type { PostgresEventBusOptions } from './bus/postgres-event-bus.ts';
