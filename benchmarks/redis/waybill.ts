import {
  EventPublisher,
  EventSubscriber,
  quickwmsEvents,
  RedisStreamEventBus,
} from '@quickwms/events';

import { concurrency, redisUrl, type Contender } from './contender.ts';
import { draftOf, eventType, source, type GradedItem } from './graded-item.ts';

/** This library with everything on: checks on both sides, retries, dead letters, and listeners to hooks. */
export const waybill: Contender = {
  async openProducer(prefix) {
    const bus = openBus(source, prefix);
    const publisher = new EventPublisher({ serviceName: source, eventBus: bus });
    await publisher.connect();
    return {
      publish: (index) => publisher.publish(draftOf(index)),
      publishBatch: (indexes) => publisher.publishBatch(indexes.map(draftOf)),
      async close() {
        await publisher.shutdown();
        await bus.shutdown();
      },
    };
  },

  async openConsumer(prefix, handle) {
    const bus = openBus('quickshelfz', prefix);
    const subscriber = new EventSubscriber(bus, { concurrency });
    const { schema } = quickwmsEvents.get(eventType)!;
    subscriber.on(eventType, async ({ data }) => handle(data as GradedItem), { schema });
    await bus.connect();
    return {
      start: () => subscriber.start(),
      async close() {
        await subscriber.stop();
        await bus.shutdown();
      },
    };
  },
};

function openBus(serviceName: string, streamPrefix: string): RedisStreamEventBus {
  const bus = new RedisStreamEventBus({ redis: redisUrl(), serviceName, streamPrefix });
  let heard = 0;
  bus.on('published', () => (heard += 1));
  bus.on('processed', () => (heard += 1));
  bus.on('processingError', ({ error }) => console.error(error));
  bus.on('deadLetter', ({ error }) => console.error(error));
  return bus;
}
