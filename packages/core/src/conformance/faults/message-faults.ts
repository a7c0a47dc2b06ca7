import { systemClock } from '../../clock.ts';
import type { Message } from '../../event/message.ts';
import type { Delivery } from '../../transport/transport.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { TransportConformanceOptions } from '../transport/transport-bench.ts';
import { accepted } from '../../transport/publish-outcome.ts';
import { changed } from './changed.ts';
import { headerFaults, withoutHeaders } from './header-faults.ts';
import {
  everyNth,
  lagMs,
  onDelivery,
  transportFault,
  type TransportChanges,
} from './transport-fault.ts';

const bulk = 'delivers 1,500 messages from ten publishers once each';
const wholeMessage = 'hands over every attribute as it was published';
const keyOrder = 'keeps the order of every key within a consumer';

/** Messages get lost or come too often. */
export const lossFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  transportFault('drops one message in a thousand', bulk, () => {
    const unlucky = everyNth(1_000);
    return (inner) => ({
      publish: (messages) => inner.publish(messages.filter(() => !unlucky())),
    });
  }),
  transportFault('loses one delivery in a thousand', bulk, () => {
    const unlucky = everyNth(1_000);
    return onDelivery((delivery, deliver) => (unlucky() ? delivery.settle() : deliver(delivery)));
  }),
  transportFault('hands out one message in a hundred twice', bulk, () => {
    const unlucky = everyNth(100);
    return onDelivery((delivery, deliver) => {
      deliver(delivery);
      if (unlucky()) deliver(changed(delivery, {}));
    });
  }),
  transportFault(
    'answers before the broker has the messages',
    'delivers everything whose publish had resolved when the publisher closed',
    () => (inner) => ({
      publish: async (messages) => {
        void systemClock.sleep(lagMs).then(() => inner.publish(messages).catch(() => []));
        return messages.map(() => accepted(''));
      },
    }),
  ),
  transportFault(
    'loses what is published while a group has no consumer',
    'keeps for a group what is published while none of its consumers runs',
    () => {
      let consumers = 0;
      const missed = new Set<string>();
      return (inner) => ({
        publish: (messages) => {
          if (consumers === 0) for (const { id } of messages) missed.add(id);
          return inner.publish(messages);
        },
        subscribe: async (subscription, deliver) => {
          consumers += 1;
          const consumer = await inner.subscribe(subscription, (delivery) =>
            missed.has(delivery.message.id) ? delivery.settle() : deliver(delivery),
          );
          void consumer.finished.then(() => (consumers -= 1));
          return consumer;
        },
      });
    },
  ),
  transportFault(
    'withholds types of more than two segments from a trailing wildcard',
    'never withholds a message that matches a pattern',
    () =>
      onDelivery((delivery, deliver, { patterns }) => {
        const long = delivery.message.type.split('.').length > 2;
        if (long && !patterns.includes('*')) delivery.settle();
        else deliver(delivery);
      }),
  ),
];

/** Messages change on their way, or come out of order. */
export const messageFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  transportFault('turns bytes into text', 'keeps a body of bytes exactly, valid text or not', () =>
    changeMessages(({ body }) => ({ body: Buffer.from(body).toString('utf8') })),
  ),
  transportFault('forgets headers', wholeMessage, () => changeMessages(() => ({ headers: [] }))),
  ...headerFaults.map(({ name, change }) =>
    transportFault(name, 'keeps headers in order, with their case, repetitions and bytes', () =>
      changeMessages(change),
    ),
  ),
  transportFault(
    'drops headers when it hands a message out again',
    'keeps headers when it hands a message out again',
    () => {
      const seen = new Set<string>();
      return onDelivery((delivery, deliver, { group }) => {
        const { message } = delivery;
        const place = JSON.stringify([group, message.id]);
        deliver(seen.has(place) ? withChanged(delivery, withoutHeaders) : delivery);
        seen.add(place);
      });
    },
  ),
  transportFault(
    'drops headers of what was published before a group began',
    'keeps headers for a group that comes later',
    () =>
      onDelivery((delivery, deliver, { start }) =>
        deliver(start === 'earliest' ? withChanged(delivery, withoutHeaders) : delivery),
      ),
  ),
  transportFault('cuts text to ASCII', wholeMessage, () =>
    changeMessages(({ body }) => ({ body: Buffer.from(body).toString('ascii') })),
  ),
  transportFault(
    "keeps the publisher's own buffer",
    'is not disturbed by a publisher that reuses its buffer',
    () => {
      const published = new Map<string, Message>();
      return (inner) => ({
        publish: (messages) => {
          for (const message of messages) published.set(message.id, message);
          return inner.publish(messages);
        },
        ...onDelivery((delivery, deliver) =>
          deliver(changed(delivery, { message: published.get(delivery.message.id)! })),
        )(inner),
      });
    },
  ),
  transportFault(
    'names another place than it told the publisher',
    'says where each message lies, and names the same place when it delivers it',
    () =>
      onDelivery((delivery, deliver) =>
        deliver(
          changed(delivery, {
            coordinates: { ...delivery.coordinates, position: `${delivery.coordinates.position}0` },
          }),
        ),
      ),
  ),
  transportFault('reverses the messages of a publish', keyOrder, () => (inner) => ({
    publish: (messages) => inner.publish(messages.toReversed()),
  })),
  transportFault('lets later messages of a key overtake', keyOrder, () => {
    const slow = everyNth(10);
    return onDelivery((delivery, deliver) => {
      if (slow()) void systemClock.sleep(lagMs).then(() => deliver(delivery));
      else deliver(delivery);
    });
  }),
];

/** A delivery of another message. */
function withChanged(delivery: Delivery, change: (message: Message) => Message): Delivery {
  return changed(delivery, { message: change(delivery.message) });
}

/** Changes messages on their way to the broker. */
function changeMessages(change: (message: Message) => Partial<Message>): TransportChanges {
  return (inner) => ({
    publish: (messages) => inner.publish(messages.map((each) => ({ ...each, ...change(each) }))),
  });
}
