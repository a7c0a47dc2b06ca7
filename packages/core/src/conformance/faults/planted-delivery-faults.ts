import { Abort } from '../../consume/abort.ts';
import type { DeadLetterClaim } from '../../consume/dead-letter-queue.ts';
import type { Message } from '../../event/message.ts';
import { changed } from './changed.ts';
import {
  deliveryFault,
  overDeadLetters,
  overInbox,
  overRedrives,
  overTransport,
  withOtherData,
  type DeliveryFault,
} from './delivery-fault.ts';
import { deployFaults } from './deploy-faults.ts';
import { withoutHeaders } from './header-faults.ts';
import { rollbackForgotten } from './store-fault.ts';
import { systemClock } from '../../clock.ts';
import { everyNth, onConsumer, onDelivery, type TransportChanges } from './transport-fault.ts';

const inLane = 'handle one event of a key at a time, in order, and each event once';
const redriven = 'reach the failing handler of the failing group alone, and end resolved';

/** Ways in which what the engine runs on can be wrong, each with the case of `describeDelivery` that notices it. */
export const plantedDeliveryFaults: readonly DeliveryFault[] = [
  overTransport('drops one message in a hundred', inLane, () => {
    const unlucky = everyNth(100);
    return onDelivery((delivery, deliver) => (unlucky() ? delivery.settle() : deliver(delivery)));
  }),
  overTransport('hands out one message in a hundred twice', inLane, () => {
    const unlucky = everyNth(100);
    return onDelivery((delivery, deliver) => {
      deliver(delivery);
      if (unlucky()) deliver(changed(delivery, {}));
    });
  }),
  overTransport('reverses the messages of a publish', inLane, () => (inner) => ({
    publish: (messages) => inner.publish(messages.toReversed()),
  })),
  overTransport(
    'acknowledges before the message was handled',
    'names at its deadline what is unfinished, and the next worker takes it',
    () =>
      onDelivery((delivery, deliver) => {
        delivery.settle();
        deliver(delivery);
      }),
  ),
  overTransport(
    'never acknowledges',
    'finishes the event under way, and leaves nothing of it for the next worker',
    () => onDelivery((delivery, deliver) => deliver(changed(delivery, { settle() {} }))),
  ),
  overTransport('forgets the delivery count', 'leaves an event with its delivery counted', () =>
    onDelivery((delivery, deliver) => deliver(changed(delivery, { deliveryCount: 1 }))),
  ),
  overTransport(
    'takes nothing for repeated',
    'settles a repeated delivery of what has a dead letter already',
    () => onDelivery((delivery, deliver) => deliver(changed(delivery, { mayBeRepeated: false }))),
  ),
  overTransport(
    'delivers to one group only',
    'does not let one failing group reach another',
    () => {
      let only: string | null | undefined;
      return onDelivery((delivery, deliver, { group }) => {
        only ??= group;
        if (group === only) deliver(delivery);
        else delivery.settle();
      });
    },
  ),
  overTransport(
    'never goes on after a pause',
    'takes nothing while a group is paused, and everything once when it is resumed',
    () => onConsumer(() => ({ resume() {} })),
  ),
  overTransport(
    'lets go of what is under way when it is paused',
    'lets what is under way end while a group is paused, and nothing of it come again',
    revokedByPause,
  ),
  overTransport(
    'throws away what comes where its first message finds it paused',
    'takes nothing before it is resumed where a group was paused before its start',
    lostInPause,
  ),
  overTransport(
    'never hands out more at once than it was asked for at first',
    'takes other keys while more keys wait for a retry than may be in flight',
    () => onConsumer(() => ({ setMaxInFlight() {} })),
  ),
  overTransport(
    'hands out anew what is not settled soon',
    'holds the events of a handler that fails for one key after another, and loses and repeats none',
    handedOutTwice,
  ),
  overDeadLetters(
    'loses dead letters',
    'records an event after its last attempt, and goes on with its key',
    () => ({ add: async () => '1' }),
  ),
  overDeadLetters(
    'finds no dead letter again',
    'settles a repeated delivery of what has a dead letter already',
    () => ({ find: async (keys) => keys.map(() => null) }),
  ),
  overRedrives('gives entries to any group', redriven, (inner) => {
    const groups = new Set<string>();
    return {
      claim: async (group, options) => {
        groups.add(group);
        const others = [...groups].filter((other) => other !== group);
        const claims = await Promise.all(others.map((other) => inner.claim(other, options)));
        return claims.flat();
      },
    };
  }),
  overRedrives('forgets which handler failed', redriven, (inner) => ({
    claim: async (group, options) => {
      const claims = await inner.claim(group, options);
      return claims.map(({ deadLetter, token }) => ({
        token,
        deadLetter: { ...deadLetter, handler: '' },
      }));
    },
  })),
  overRedrives('gives another message to a redrive', redriven, (inner) => ({
    claim: (group, options) => claimed(inner.claim(group, options), withOtherData),
  })),
  overRedrives(
    'counts the runs of a message in its metadata',
    'change nothing of the message, however often it is run again',
    (inner) => ({
      claim: (group, options) => claimed(inner.claim(group, options), withOneRunMore),
    }),
  ),
  overRedrives(
    'gives a message without its headers to a redrive',
    'read again what was received, and refuse again what was refused for its headers',
    (inner) => ({
      claim: (group, options) => claimed(inner.claim(group, options), withoutHeaders),
    }),
  ),
  overRedrives(
    'does not count the attempts of a redrive',
    'make one attempt, and end pending with it when that fails',
    (inner) => ({
      settle: (claim, outcome) =>
        inner.settle(claim, outcome.status === 'pending' ? { ...outcome, attempts: 0 } : outcome),
    }),
  ),
  overInbox(
    'forgets what was handled',
    'lets a repeated event pass without another effect',
    (inner) => ({ record: async (key, tx) => (await inner.record(key, tx)) || true }),
  ),
  overInbox(
    'remembers the last event alone',
    'settles an event that was delivered too often and whose effect is there already',
    (inner) => {
      let last: string | undefined;
      return {
        record: async (key, tx) => {
          const isLast = last === key.id;
          last = key.id;
          return (await inner.record(key, tx)) || !isLast;
        },
      };
    },
  ),
  overInbox('has one memory for all groups', 'keeps groups and handlers apart', (inner) => ({
    record: (key, tx) => inner.record({ ...key, group: 'any' }, tx),
  })),
  deliveryFault(
    'commits what should be rolled back',
    'remembers nothing of an attempt that failed',
    () =>
      ({ transactions }) =>
        transactions
          ? { transactions: changed(transactions, rollbackForgotten(transactions)) }
          : {},
  ),
  ...deployFaults,
];

/** What was claimed, with other messages. */
async function claimed(
  claiming: Promise<DeadLetterClaim[]>,
  change: (message: Message) => Message,
): Promise<DeadLetterClaim[]> {
  return (await claiming).map(({ deadLetter, token }) => ({
    deadLetter: { ...deadLetter, message: change(deadLetter.message) },
    token,
  }));
}

function withOneRunMore(message: Message): Message {
  const event = JSON.parse(Buffer.from(message.body).toString('utf8')) as { retrycount?: number };
  if (event.retrycount === undefined) return message;
  return { ...message, body: JSON.stringify({ ...event, retrycount: event.retrycount + 1 }) };
}

/** What has waited for a while is handed out once more, to whoever has it already. */
function handedOutTwice(): TransportChanges {
  return onDelivery((delivery, deliver) => {
    let settled = false;
    const settle = (): void => {
      settled = true;
      delivery.settle();
    };
    deliver(changed(delivery, { settle }));
    void systemClock.sleep(1).then(() => {
      if (!settled) deliver(changed(delivery, {}));
    });
  });
}

/** A pause that aborts the signal of everything that was handed out. */
function revokedByPause(): TransportChanges {
  return (inner) => ({
    async subscribe(subscription, deliver) {
      const under = new Set<Abort>();
      const consumer = await inner.subscribe(subscription, (delivery) => {
        const signal = new Abort(delivery.signal);
        under.add(signal);
        deliver(changed(delivery, { signal }));
      });
      return changed(consumer, {
        pause() {
          for (const signal of under) signal.abort(new Error('paused'));
          consumer.pause();
        },
      });
    },
  });
}

/** A pause from the start, which settles what is published meanwhile. */
function lostInPause(): TransportChanges {
  return (inner) => ({
    async subscribe(subscription, deliver) {
      let [begun, paused] = [false, false];
      const consumer = await inner.subscribe(subscription, (delivery) => {
        begun ||= !paused;
        if (begun) deliver(delivery);
        else delivery.settle();
      });
      return changed(consumer, {
        pause: () => (begun ? consumer.pause() : void (paused = true)),
        resume: () => ((paused = false), consumer.resume()),
      });
    },
  });
}
