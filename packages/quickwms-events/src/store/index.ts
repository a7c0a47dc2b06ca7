export {
  PostgresEventStore,
  quickwmsMigrations,
  type EventQueryOptions,
  type PostgresEventStoreConfig,
  type TimeRangeOptions,
} from './postgres-store.ts';
