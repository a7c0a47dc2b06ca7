/** What stands around a block of the specification so that it is a whole module. */
export interface Surroundings {
  /** Names that the block takes for granted, declared for the compiler. */
  readonly declared?: string;
  /** Checks behind the block, for the compiler. */
  readonly checked?: string;
  /** Where the block is a file of a service: its path, so that other blocks can import it. */
  readonly path?: string;
}

const publisherDeclared = `import type { EventPublisher } from '@quickwms/events';\ndeclare const publisher: EventPublisher;\n`;

/** By the hash of the block. Blocks that are not listed stand alone. */
export const surroundings: Readonly<Record<string, Surroundings>> = {
  // 4.1 Event Envelope
  '0e015c3509': {
    declared: `import type { EventEnvelope as Ours } from '@quickwms/events';\n`,
    checked: `
declare const ours: Ours<{ grade: string }>;
declare const printed: EventEnvelope<{ grade: string }>;
export const asPrinted: EventEnvelope<{ grade: string }> = ours;
export const asOurs: Ours<{ grade: string }> = printed;
`,
  },
  // 4.2 Redis Stream Event Bus
  '6123777109': {
    declared: `import type { EventEnvelope } from '@quickwms/events';\ndeclare const event: EventEnvelope;\n`,
  },
  // 4.3 Event Publisher
  a8d9b6ed60: {
    declared: `import { ProcessingEvents, type EventBus, type EventEnvelope, type PostgresEventStore } from '@quickwms/events';
declare const bus: EventBus;
declare const store: PostgresEventStore;
declare const parentEvent: EventEnvelope;
`,
  },
  // 4.4 Event Subscriber
  '4e1284915c': {
    declared: `import { InboundEvents, type EventBus } from '@quickwms/events';\ndeclare const bus: EventBus;\n`,
  },
  // 4.5 PostgreSQL Event Store
  '78f1aecbc2': {
    declared: `import type { EventEnvelope } from '@quickwms/events';\ndeclare const event: EventEnvelope;\n`,
  },
  // Step 2 to 7: files of one service.
  '86ab8c11ec': { path: 'src/events/bus.ts' },
  '2d2103e741': { path: 'src/events/publisher.ts' },
  a3fca6fbc8: { path: 'src/events/subscriber.ts' },
  c4e31e3521: { path: 'src/events/handlers.ts' },
  aae27cedb6: { path: 'src/index.ts' },
  eb4bbbfe59: {
    path: 'src/services/intake.service.ts',
    declared: `
interface CreateItemInput { sku: string }
interface Item { id: string; qlid: string; sku: string; manifestId: string; condition: string }
export interface IntakeService { itemRepository: { create(input: CreateItemInput): Promise<Item> } }
`,
  },
  // 9 Retry Policies
  eaf699c584: {
    declared: `declare const externalApi: { call(): Promise<number> };\ndeclare function riskyOperation(): Promise<void>;\n`,
  },
  // 9 Idempotency
  '222904ba33': {
    declared: `
declare const items: { sku: string }[];
declare const inventoryService: { reserve(what: typeof items): Promise<{ reserved: number }> };
`,
  },
  // 10 Event Bus Metrics
  b1e4777c97: {
    declared: `import { RedisStreamEventBus, type RedisStreamEventBusConfig } from '@quickwms/events';
declare const config: RedisStreamEventBusConfig;
declare const metrics: { increment(name: string, tags?: Record<string, string>): void };
`,
  },
  // 11 Dual-Write Pattern
  '5de59ee322': {
    declared: `import { InboundEvents } from '@quickwms/events';\n${publisherDeclared}
interface ItemInput { sku: string }
declare const db: { items: { create(input: ItemInput): Promise<{ id: string; qlid: string }> } };
declare const gradingApi: { createTask(itemId: string): Promise<void> };
`,
  },
  // 12 Event Design
  '179a6e4beb': {
    declared: `declare const itemId: string, qlid: string, grade: string, condition: string, gradedBy: string, gradedAt: string;\n`,
  },
  '4d079838d2': { declared: publisherDeclared },
  // 13 API Reference: what is printed must be what we have.
  '7e98732c77': {
    declared: `import { EventEmitter } from 'node:events';
import { RedisStreamEventBus as Ours, type EventEnvelope, type EventHandler, type GroupInfo, type RedisStreamEventBusConfig, type StreamInfo } from '@quickwms/events';
`,
    checked: `
export const asPrinted: typeof RedisStreamEventBus = Ours;
`,
  },
  '440d00f05f': {
    declared: `import { EventPublisher as Ours, type CreateEventOptions, type EventEnvelope, type EventPublisherConfig } from '@quickwms/events';\n`,
    checked: `
export const asPrinted: typeof EventPublisher = Ours;
`,
  },
  c0461fd7e8: {
    declared: `import { EventSubscriber as Ours, type RedisStreamEventBus, type SubscriptionOptions, type TypedEventHandler } from '@quickwms/events';\n`,
    checked: `
declare const printed: ConstructorParameters<typeof EventSubscriber>;
const ours = new Ours(...printed);
export const isRunning: EventSubscriber['isRunning'] = ours.isRunning;
export const start: EventSubscriber['start'] = ours.start;
export const stop: EventSubscriber['stop'] = ours.stop;
declare const handler: TypedEventHandler<{ count: number }>;
declare const options: SubscriptionOptions;
export const on: Ours = ours.on<{ count: number }>('any.type', handler, options);
export const onMultiple: Ours = ours.onMultiple<{ count: number }>(['any.type'], handler, options);
declare const anyHandler: TypedEventHandler;
export const onDomain: Ours = ours.onDomain('any', anyHandler, options);
`,
  },
  '81ff5f38a3': {
    declared: `import type { EventEnvelope, EventQueryOptions, PostgresEventStore as Ours, PostgresEventStoreConfig, TimeRangeOptions } from '@quickwms/events';\n`,
    checked: `
declare const ours: Ours;
export const asPrinted: PostgresEventStore = ours;
`,
  },
};
