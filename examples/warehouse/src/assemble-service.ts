import {
  EventPublisher,
  EventSubscriber,
  type EventBus,
  type EventSubscriberOptions,
  type PostgresEventStore,
} from '@quickwms/events';
import type { Service } from './services/service.ts';

/** A service together with what it talks through. */
export interface AssembledService {
  readonly service: Service;
  readonly eventBus: EventBus;
  readonly publisher: EventPublisher;
  readonly subscriber: EventSubscriber<true>;
}

/** What a service gets from whoever runs it. */
export interface Surroundings {
  readonly eventBus: EventBus;
  readonly store: PostgresEventStore;
  /** What looks like chance is decided by it. */
  readonly seed: string;
  /** How it consumes; every handler has an inbox. */
  readonly consuming: Omit<EventSubscriberOptions<true>, 'inbox'>;
}

/** Gives a service a publisher and a consumer group of its own; it does not consume yet. */
export function assembleService(
  service: Service,
  { eventBus, store, seed, consuming }: Surroundings,
): AssembledService {
  const publisher = new EventPublisher({ serviceName: service.name, eventBus, eventStore: store });
  const subscriber = new EventSubscriber(eventBus, { ...consuming, inbox: true });
  service.register({ publisher, subscriber, seed });
  return { service, eventBus, publisher, subscriber };
}

/** Lets services finish what is under way, then ends them. */
export async function stopServices(running: readonly AssembledService[]): Promise<void> {
  await Promise.all(running.map(({ subscriber }) => subscriber.stop()));
  await Promise.all(running.map(({ publisher }) => publisher.shutdown()));
  await Promise.all(running.map(({ eventBus }) => eventBus.shutdown()));
}
