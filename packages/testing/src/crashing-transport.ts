import type { Transport } from '@waybill/core';
import type { Consumer, Delivery, Message } from '@waybill/core/adapter';

import type { CrashPoints } from './crash-points.ts';
import { override } from './override.ts';

/**
 * Makes every publish, every settlement and every closing of a consumer a crash point, named after the
 * event types as in `publish item.graded` and `settle item.graded`.
 *
 * After `settle` the broker may not have been told yet: a transport may tell it later.
 *
 * @returns The transport in every other respect.
 */
export function crashingTransport(transport: Transport, points: CrashPoints): Transport {
  return override(transport, {
    publish: (messages, options) =>
      points.around(`publish ${typesOf(messages)}`, () => transport.publish(messages, options)),
    subscribe: async (subscription, deliver) => {
      const consumer = await transport.subscribe(subscription, (delivery) =>
        deliver(crashingDelivery(delivery, points)),
      );
      return crashingConsumer(consumer, subscription.group ?? 'broadcast', points);
    },
  });
}

function crashingDelivery(delivery: Delivery, points: CrashPoints): Delivery {
  return override(delivery, {
    settle() {
      const done = points.reach(`settle ${delivery.message.type}`);
      delivery.settle();
      done();
    },
  });
}

/** Closing writes out what was settled. */
function crashingConsumer(consumer: Consumer, group: string, points: CrashPoints): Consumer {
  return override(consumer, {
    close: () => points.around(`close ${group}`, () => consumer.close()),
  });
}

function typesOf(messages: readonly Message[]): string {
  return [...new Set(messages.map(({ type }) => type))].join(', ');
}
