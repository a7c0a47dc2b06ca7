import type { PlantedFault } from '../describe-planted-faults.ts';
import type { TransportConformanceOptions } from '../transport/transport-bench.ts';
import { changed } from './changed.ts';
import { onSubscription, transportFault } from './transport-fault.ts';

const tells = 'tells that its broker is away';

/** A consumer hides that it does not get on, or makes too much of it. */
export const troubleFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  transportFault('never tells that it is in trouble', tells, () =>
    onSubscription(() => ({ onTrouble: () => {} })),
  ),
  transportFault('tells of trouble only while it is not paused', tells, () => (inner) => ({
    subscribe: async (subscription, deliver) => {
      let paused = false;
      const { onTrouble } = subscription;
      const told = (error: unknown): void => (paused ? undefined : onTrouble?.(error));
      const consumer = await inner.subscribe({ ...subscription, onTrouble: told }, deliver);
      const pause = (): void => ((paused = true), consumer.pause());
      return changed(consumer, { pause });
    },
  })),
  transportFault(
    'never takes its trouble back',
    'takes the trouble back when its broker is there again',
    () =>
      onSubscription(({ onTrouble }) => ({
        onTrouble: (error) => void (error === undefined || onTrouble?.(error)),
      })),
  ),
  transportFault(
    'ends when it is in trouble',
    'does not end while its broker is away',
    () => (inner) => ({
      subscribe: async (subscription, deliver) => {
        const ending = Promise.withResolvers<void>();
        ending.promise.catch(() => {});
        const onTrouble = (error: unknown): void => {
          subscription.onTrouble?.(error);
          if (error !== undefined) ending.reject(error);
        };
        const consumer = await inner.subscribe({ ...subscription, onTrouble }, deliver);
        consumer.finished.then(ending.resolve, ending.reject);
        return changed(consumer, { finished: ending.promise });
      },
    }),
  ),
  transportFault(
    'tells broadcasts nothing of trouble',
    'tells the same to a subscription without a group',
    () => onSubscription(({ group }) => (group === null ? { onTrouble: () => {} } : {})),
  ),
];
