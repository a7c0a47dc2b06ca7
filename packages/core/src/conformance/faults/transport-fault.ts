import type {
  Consumer,
  Deliver,
  Delivery,
  Subscription,
  Transport,
} from '../../transport/transport.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { TransportConformanceOptions } from '../transport/transport-bench.ts';
import { changed } from './changed.ts';

/** Longer than a transport takes to hand out the next message, shorter than any timeout. */
export const lagMs = 25;

/** What a faulty instance does differently. */
export type TransportChanges = (inner: Transport) => Partial<Transport>;

/**
 * A fault of a transport.
 *
 * @param start Called for each case, so that the instances of a case share what the fault remembers.
 */
export function transportFault(
  name: string,
  noticedBy: string,
  start: () => TransportChanges,
): PlantedFault<TransportConformanceOptions> {
  return {
    name,
    noticedBy,
    plant: (options) => ({
      ...options,
      create: async () => {
        const subject = await options.create();
        const changesOf = start();
        return changed(subject, {
          open: async () => {
            const inner = await subject.open();
            return changed(inner, changesOf(inner));
          },
        });
      },
    }),
  };
}

/** Lets a fault decide what becomes of each delivery. */
export function onDelivery(
  meddle: (delivery: Delivery, deliver: Deliver, subscription: Subscription) => void,
): TransportChanges {
  return (inner) => ({
    subscribe: (subscription, deliver) =>
      inner.subscribe(subscription, (delivery) => meddle(delivery, deliver, subscription)),
  });
}

/** Lets a fault ask for something else than the subscriber did. */
export function onSubscription(
  change: (subscription: Subscription) => Partial<Subscription>,
): TransportChanges {
  return (inner) => ({
    subscribe: (subscription, deliver) =>
      inner.subscribe({ ...subscription, ...change(subscription) }, deliver),
  });
}

/** Lets a fault change the consumer that a subscriber gets. */
export function onConsumer(change: (consumer: Consumer) => Partial<Consumer>): TransportChanges {
  return (inner) => ({
    subscribe: async (subscription, deliver) => {
      const consumer = await inner.subscribe(subscription, deliver);
      return changed(consumer, change(consumer));
    },
  });
}

/** @returns A function that answers true at every `every`-th call. */
export function everyNth(every: number): () => boolean {
  let count = 0;
  return () => {
    count += 1;
    return count % every === 0;
  };
}
