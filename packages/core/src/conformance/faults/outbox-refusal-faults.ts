import type { EventError } from '../../errors.ts';
import type { Message } from '../../event/message.ts';
import type { DrainOutcome, DrainPass, Outbox } from '../../publish/outbox.ts';
import type { Publish, PublishOutcome } from '../../transport/publish-outcome.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { StoreConformanceOptions } from '../store/store-bench.ts';
import { storeFault } from './store-fault.ts';

const fault = storeFault<Outbox>;

/** Lets a fault hand the broker's answers on in another way than they were given. */
function onOutcomes(
  change: (outcomes: readonly PublishOutcome[]) => readonly PublishOutcome[],
): (inner: Outbox) => Partial<Outbox> {
  return (inner) => ({
    drain: (pass, publish) =>
      inner.drain(pass, async (messages) => change(await publish(messages))),
  });
}

const isRefusal = (outcome: PublishOutcome): boolean => outcome.status !== 'accepted';

/** Ways in which an outbox can be wrong about messages that are not taken, and about where messages go. */
export const refusalFaults: readonly PlantedFault<StoreConformanceOptions<Outbox>>[] = [
  fault(
    'keeps a whole pass in which one message was refused',
    'forgets at once what was accepted beside a message that was refused',
    onOutcomes((outcomes) => {
      const refusal = outcomes.find(isRefusal);
      return refusal ? outcomes.map(() => refusal) : outcomes;
    }),
  ),
  fault(
    'gives up the whole pass when one message was refused',
    'forgets at once what was accepted beside a message that was refused',
    (inner) => ({
      drain: (pass, publish) =>
        inner.drain(pass, async (messages) => {
          const outcomes = await publish(messages);
          const refusal = outcomes.find(isRefusal);
          if (refusal && refusal.status !== 'accepted') throw refusal.error;
          return outcomes;
        }),
    }),
  ),
  fault(
    'forgets a message that was refused',
    'tries the message again after its delay, and then what waits behind it, in order',
    onOutcomes((outcomes) =>
      outcomes.map((outcome) =>
        isRefusal(outcome) ? { status: 'accepted', position: '0' } : outcome,
      ),
    ),
  ),
  fault(
    'forgets a message whose outcome is unknown',
    'keeps a message whose outcome is unknown, and its key, and sends it again',
    onOutcomes((outcomes) =>
      outcomes.map((outcome) =>
        outcome.status === 'unknown' ? { status: 'accepted', position: '0' } : outcome,
      ),
    ),
  ),
  fault(
    'holds back the whole partition of a message that was refused',
    'leaves a key out of later passes while a message of it is not taken, and no other',
    (inner) => {
      const stuck = new Set<number>();
      return {
        drain: async (pass, publish) => {
          if (stuck.has(pass.partition)) return nothing;
          const outcome = await inner.drain(pass, publish);
          if (outcome.status === 'drained' && outcome.refused.length > 0) stuck.add(pass.partition);
          return outcome;
        },
      };
    },
  ),
  fault(
    'tries what is refused in every pass',
    'leaves a key out of later passes while a message of it is not taken, and no other',
    repeating(false),
  ),
  fault(
    'lets messages that wait fill the passes of others',
    'lets other keys out although more than a batch of the key that waits lies before them',
    repeating(true),
  ),
  fault(
    'hides what is refused',
    'says which message is refused, why, how often and until when, and waits longer each time',
    (inner) => ({ status: async () => ({ ...(await inner.status()), refused: [] }) }),
  ),
  fault(
    'drains what is for another destination, too',
    'drains what is for one destination, and leaves the rest in its order',
    (inner) => ({ add: (messages, options) => inner.add(messages, { ...options, ...everywhere }) }),
  ),
  fault(
    'does not note who relays',
    'says what waits for each destination, and when a relay last worked for it',
    (inner) => ({
      status: async () => {
        const { destinations, ...rest } = await inner.status();
        const unknown = destinations.map((each) => ({ ...each, relayedAgoMs: null }));
        return { ...rest, destinations: unknown };
      },
    }),
  ),
  fault(
    'keeps the last mark instead of the first',
    'keeps the first mark of each destination, and tells relays',
    (inner) => ({
      keepMarker: async (destination, marker) => {
        await inner.keepMarker(destination, marker);
        return marker;
      },
    }),
  ),
  fault(
    'keeps one mark for all destinations',
    'keeps the first mark of each destination, and tells relays',
    (inner) => ({
      keepMarker: (_destination, marker) => inner.keepMarker(everywhere.destination, marker),
      checkIn: async (destination) => {
        const { marker } = await inner.checkIn(everywhere.destination);
        return { ...(await inner.checkIn(destination)), marker };
      },
    }),
  ),
];

const everywhere = { destination: 'orders' } as const;
const nothing: DrainOutcome = { status: 'drained', published: 0, refused: [], more: false };

/** Sends what was refused once more with each pass, and counts it against the limit if `filling`. */
function repeating(filling: boolean): (inner: Outbox) => Partial<Outbox> {
  return (inner) => {
    const refused: Message[] = [];
    return {
      drain: async (pass: DrainPass, publish: Publish) => {
        const again = [...refused];
        if (filling && again.length > 0) {
          await publish(again);
          return nothing;
        }
        const outcome = await inner.drain(pass, async (messages) => {
          const outcomes = await publish([...again, ...messages]);
          return outcomes.slice(again.length);
        });
        if (outcome.status === 'drained') refused.push(...outcome.refused.map(messageOf));
        if (again.length === 0 || outcome.status !== 'drained') return outcome;
        return { ...outcome, more: true };
      },
    };
  };
}

function messageOf({ message }: { message: Message; error: EventError }): Message {
  return message;
}
