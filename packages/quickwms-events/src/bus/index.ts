export { MemoryEventBus, type MemoryEventBusConfig } from './memory-bus.ts';
export { PostgresEventBus, type PostgresEventBusConfig } from './postgres-bus.ts';
