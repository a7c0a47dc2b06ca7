import { systemClock } from '../../clock.ts';
import type { Delivery } from '../../transport/transport.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { TransportConformanceOptions } from '../transport/transport-bench.ts';
import { changed } from './changed.ts';
import { lagMs, onDelivery, transportFault } from './transport-fault.ts';

/** What was handed out is ended too early, too late, or by the wrong one. */
export const settlingFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  transportFault(
    'acknowledges before the message was handled',
    'hands what a closed consumer left unsettled to the next one',
    () =>
      onDelivery((delivery, deliver) => {
        delivery.settle();
        deliver(delivery);
      }),
  ),
  transportFault(
    'settles everything before the settled message',
    'settles one message alone, not those before it',
    () => {
      const handedOut: Delivery[] = [];
      return onDelivery((delivery, deliver) => {
        handedOut.push(delivery);
        const before = [...handedOut];
        deliver(changed(delivery, { settle: () => before.forEach((each) => each.settle()) }));
      });
    },
  ),
  transportFault(
    'forgets at the close what it had not told its broker yet',
    'never hands out again what was settled before the consumer closed',
    () => {
      let untold: Delivery | undefined;
      return onDelivery((delivery, deliver) => {
        const settle = (): void => {
          untold?.settle();
          untold = delivery;
        };
        deliver(changed(delivery, { settle }));
      });
    },
  ),
  transportFault(
    'lets a former owner settle',
    'ignores a former owner who settles what the next one holds',
    () => {
      const current = new Map<string, Delivery>();
      return onDelivery((delivery, deliver) => {
        const { id } = delivery.message;
        current.set(id, delivery);
        deliver(changed(delivery, { settle: () => current.get(id)!.settle() }));
      });
    },
  ),
  transportFault('forgets the delivery count', 'counts how often a message was handed out', () =>
    onDelivery((delivery, deliver) => deliver(changed(delivery, { deliveryCount: 1 }))),
  ),
  transportFault(
    'gives messages back after the later ones of their key',
    'gives a message back before the later ones of its key',
    () => {
      const seen = new Set<string>();
      return onDelivery((delivery, deliver) => {
        if (!seen.has(delivery.message.id)) deliver(delivery);
        else void systemClock.sleep(4 * lagMs).then(() => deliver(delivery));
        seen.add(delivery.message.id);
      });
    },
  ),
  transportFault(
    'never aborts a signal',
    'aborts the signal of what was unsettled at the close, and of nothing else',
    () =>
      onDelivery((delivery, deliver) =>
        deliver(changed(delivery, { signal: new AbortController().signal })),
      ),
  ),
  transportFault(
    'aborts the signals of settled messages too',
    'aborts the signal of what was unsettled at the close, and of nothing else',
    () => (inner) => ({
      subscribe: async (subscription, deliver) => {
        const controller = new AbortController();
        const consumer = await inner.subscribe(subscription, (delivery) =>
          deliver(changed(delivery, { signal: controller.signal })),
        );
        const close = (): Promise<void> => (controller.abort(), consumer.close());
        return changed(consumer, { close });
      },
    }),
  ),
];
