import type { Delivery } from '../../transport/transport.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { TransportConformanceOptions } from '../transport/transport-bench.ts';
import { changed } from './changed.ts';
import { onDelivery, transportFault, type TransportChanges } from './transport-fault.ts';

/** A transport is wrong about what may have been handed out before. */
export const repeatFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  transportFault(
    'takes everything for repeated',
    'takes no message for a repeated one once an undisturbed group has caught up',
    () => saying(() => true),
  ),
  transportFault(
    'takes nothing for repeated',
    'says of what a consumer has left that it may be repeated',
    () => saying(() => false),
  ),
  transportFault(
    'takes for repeated only what the same instance was handed before',
    'says of what another instance takes over that it may be repeated',
    () => (inner) => {
      const seen = new Set<string>();
      return saying(({ message: { id } }) => seen.has(id) || (seen.add(id), false))(inner);
    },
  ),
  transportFault(
    'remembers the last former owner only',
    'says so however often everything was left, and whatever was handed out in between',
    () => {
      const times = new Map<string, number>();
      return saying(({ message: { id } }) => {
        times.set(id, (times.get(id) ?? 0) + 1);
        return times.get(id) === 2;
      });
    },
  ),
  transportFault(
    'takes for finished what was settled, whether its broker knows or not',
    'says so of what was settled and comes again, because the broker never heard of it',
    () => {
      const settled = new Set<string>();
      return onDelivery((delivery, deliver) => {
        const { id } = delivery.message;
        const mayBeRepeated = delivery.mayBeRepeated && !settled.has(id);
        const settle = (): void => {
          settled.add(id);
          delivery.settle();
        };
        deliver(changed(delivery, { mayBeRepeated, settle }));
      });
    },
  ),
  transportFault(
    'takes a broadcast for repeated',
    'takes no broadcast message for a repeated one',
    () =>
      onDelivery((delivery, deliver, { group }) =>
        deliver(group === null ? changed(delivery, { mayBeRepeated: true }) : delivery),
      ),
  ),
];

function saying(mayBeRepeated: (delivery: Delivery) => boolean): TransportChanges {
  return onDelivery((delivery, deliver) =>
    deliver(changed(delivery, { mayBeRepeated: mayBeRepeated(delivery) })),
  );
}
