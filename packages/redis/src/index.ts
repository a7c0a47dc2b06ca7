export type { RedisConnectionOptions, RedisLike, RedisSource } from './redis-like.ts';
export { RedisDeadLetterQueue } from './dead-letter-queue.ts';
export type { RedisDeadLetterQueueOptions } from './dead-letter-queue.ts';
export { RedisIdempotencyStore } from './idempotency-store.ts';
export type { RedisIdempotencyStoreOptions } from './idempotency-store.ts';
export { RedisStreamTransport } from './stream-transport.ts';
export type { RedisStreamTransportOptions } from './stream-transport-options.ts';
export { RedisStreamEventBus, redisStreamEventBusOptions } from './redis-stream-event-bus.ts';
export type { RedisStreamEventBusOptions } from './redis-stream-event-bus.ts';
