import { isEventError } from '../../errors.ts';
import type { Subscription } from '../../transport/transport.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { TransportConformanceOptions } from '../transport/transport-bench.ts';
import { changed } from './changed.ts';
import { transportFault, type TransportChanges } from './transport-fault.ts';

/** A consumer that takes refused access for the end of everything. */
export const accessFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  transportFault(
    'ends a group for good when its access is refused',
    'is outlived by a consumer of a group',
    () => endingFor(({ group }) => group !== null),
  ),
  transportFault(
    'ends a broadcast for good when its access is refused',
    'is outlived by a subscription without a group',
    () => endingFor(({ group }) => group === null),
  ),
];

function endingFor(applies: (subscription: Subscription) => boolean): TransportChanges {
  return (inner) => ({
    subscribe: async (subscription, deliver) => {
      if (!applies(subscription)) return await inner.subscribe(subscription, deliver);
      const ending = Promise.withResolvers<void>();
      ending.promise.catch(() => {});
      const onTrouble = (error: unknown): void => {
        subscription.onTrouble?.(error);
        if (isEventError(error, 'ACCESS_REFUSED')) ending.reject(error);
      };
      const consumer = await inner.subscribe({ ...subscription, onTrouble }, deliver);
      consumer.finished.then(ending.resolve, ending.reject);
      return changed(consumer, { finished: ending.promise });
    },
  });
}
