export { MemoryEventBus, type MemoryEventBusConfig } from './memory-bus.ts';
export { PostgresEventBus, type PostgresEventBusConfig } from './postgres-bus.ts';
export { RedisDeadLetterQueue } from './redis-dead-letter-queue.ts';
export {
  RedisStreamEventBus,
  type GroupInfo,
  type RedisStreamEventBusConfig,
  type StreamInfo,
} from './redis-stream-bus.ts';
