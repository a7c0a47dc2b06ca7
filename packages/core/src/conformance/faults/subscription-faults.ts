import { randomIds } from '../../ids.ts';
import type { Delivery, Subscription } from '../../transport/transport.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { TransportConformanceOptions } from '../transport/transport-bench.ts';
import { changed } from './changed.ts';
import {
  onConsumer,
  onDelivery,
  onSubscription,
  transportFault,
  type TransportChanges,
} from './transport-fault.ts';

/** Lets a fault ask for something else where the subscriber said a time. */
function onTime(change: (subscription: Subscription) => Partial<Subscription>): TransportChanges {
  return onSubscription((asked) => (asked.start instanceof Date ? change(asked) : {}));
}

/** Groups get in each other's way, or begin at the wrong place. */
export const groupFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  transportFault('delivers to one group only', 'gives every group everything', () => {
    let only: string | null | undefined;
    return onDelivery((delivery, deliver, { group }) => {
      only ??= group;
      if (group === only) deliver(delivery);
      else delivery.settle();
    });
  }),
  transportFault(
    'lets one group settle for all',
    'does not let one group settle for another',
    () => {
      const settled = new Set<string>();
      const handedOut: Delivery[] = [];
      const settleAll = (id: string): void => {
        settled.add(id);
        for (const each of handedOut) if (each.message.id === id) each.settle();
      };
      return onDelivery((delivery, deliver) => {
        const { id } = delivery.message;
        handedOut.push(delivery);
        deliver(changed(delivery, { settle: () => settleAll(id) }));
        if (settled.has(id)) delivery.settle();
      });
    },
  ),
  transportFault(
    'starts every new group at the end',
    'gives a new group that starts at the earliest what was published before',
    () => onSubscription(() => ({ start: 'latest' })),
  ),
  transportFault(
    'starts every new group at the beginning',
    'gives a new group that starts at the latest only what is published from then on',
    () => onSubscription(() => ({ start: 'earliest' })),
  ),
  transportFault(
    'ignores a time and starts a new group at the beginning',
    'gives a new group that starts at a time what was published from then on, and nothing before',
    () => onTime(() => ({ start: 'earliest' })),
  ),
  transportFault(
    'ignores a time and starts a new group at the end',
    'gives a new group that starts at a time what was published from then on, and nothing before',
    () => onTime(() => ({ start: 'latest' })),
  ),
  transportFault(
    'begins a known group anew at the time that is said',
    'lets a known group go on where it stood, whatever time is said',
    () => onTime(({ group }) => ({ group: `${group}-anew-${randomIds()}` })),
  ),
  transportFault(
    'shares a broadcast among its subscribers',
    'gives every instance everything published from then on',
    () => {
      const shared = `shared-${randomIds()}`;
      return onSubscription(({ group }) => ({ group: group ?? shared }));
    },
  ),
  transportFault(
    'makes a group for each broadcast subscription',
    'keeps nothing for a subscription that has closed',
    () => onSubscription(({ group }) => ({ group: group ?? `left-behind-${randomIds()}` })),
  ),
];

/** A consumer is handed more, or less, than it asked for. */
export const flowFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  transportFault('ignores maxInFlight', 'never leaves more unsettled than maxInFlight', () =>
    onSubscription(() => ({ maxInFlight: 1_000 })),
  ),
  transportFault(
    'ignores that maxInFlight was raised',
    'hands out more at once when maxInFlight is raised while it runs',
    () => onConsumer(() => ({ setMaxInFlight() {} })),
  ),
  transportFault(
    'ignores that maxInFlight was lowered',
    'hands out less at once when maxInFlight is lowered while it runs',
    () => onConsumer(() => ({ setMaxInFlight() {} })),
  ),
  transportFault(
    'goes on while it is paused',
    'hands out nothing while it is paused, and goes on when it is resumed',
    () => onConsumer(() => ({ pause() {} })),
  ),
  transportFault(
    'never resumes',
    'hands out nothing while it is paused, and goes on when it is resumed',
    () => onConsumer(() => ({ resume() {} })),
  ),
  transportFault(
    'goes on after its consumer was closed',
    'hands out nothing after a consumer has closed, however often it was closed',
    () => onConsumer(() => ({ close: async () => {} })),
  ),
];
