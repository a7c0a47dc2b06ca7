import type { Outbox } from '../../publish/outbox.ts';
import type { Message } from '../../event/message.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import { acceptAll } from '../outbox/outbox-cases.ts';
import type { StoreConformanceOptions } from '../store/store-bench.ts';
import { headerFaults } from './header-faults.ts';
import { refusalFaults } from './outbox-refusal-faults.ts';
import { forgetsRollback, storeFault } from './store-fault.ts';

const fault = storeFault<Outbox>;
const wholeHeaders =
  'keeps headers in order, with their case, repetitions and bytes, also when publishing failed before';

/** Ways in which an outbox can be wrong, each with the case of `describeOutbox` that notices it. */
export const plantedOutboxFaults: readonly PlantedFault<StoreConformanceOptions<Outbox>>[] = [
  fault(
    'publishes the youngest first',
    'keeps the order of every key over many calls',
    (inner) => ({
      drain: (pass, publish) => inner.drain(pass, (messages) => publish(messages.toReversed())),
    }),
  ),
  fault(
    'forgets what it could not publish',
    'keeps everything when publishing fails, and rejects with the reason',
    (inner) => ({
      drain: async (pass, publish) => {
        let failure: { readonly reason: unknown } | undefined;
        const outcome = await inner.drain(pass, (messages) =>
          publish(messages).catch((reason: unknown) => {
            failure = { reason };
            return acceptAll(messages);
          }),
        );
        if (failure) throw failure.reason;
        return outcome;
      },
    }),
  ),
  fault(
    'lets two drains work on one partition',
    'lets one drain at a time work on a partition, and others on the rest',
    (inner) => ({
      drain: async (pass, publish) => {
        const taken: Message[] = [];
        const outcome = await inner.drain(pass, async (messages) => {
          taken.push(...messages);
          return acceptAll(messages);
        });
        if (taken.length > 0) await publish(taken);
        return outcome;
      },
    }),
  ),
  fault(
    'publishes more than the limit',
    'publishes no more than the limit in one pass, oldest first, and says whether more waits',
    (inner) => ({ drain: (pass, publish) => inner.drain({ ...pass, limit: 1_000 }, publish) }),
  ),
  fault(
    'forgets headers',
    'publishes what was added, whole and in order, and forgets it',
    (inner) => ({
      add: (messages, options) =>
        inner.add(
          messages.map((message) => ({ ...message, headers: [] })),
          options,
        ),
    }),
  ),
  ...headerFaults.map(({ name, change }) =>
    fault(name, wholeHeaders, (inner) => ({
      add: (messages, options) => inner.add(messages.map(change), options),
    })),
  ),
  fault('drops headers when it publishes again', wholeHeaders, (inner) => {
    const seen = new Set<string>();
    return {
      drain: (pass, publish) =>
        inner.drain(pass, (messages) => {
          const changed = messages.map((message) =>
            seen.has(message.id) ? { ...message, headers: [] } : message,
          );
          for (const { id } of messages) seen.add(id);
          return publish(changed);
        }),
    };
  }),
  fault(
    'puts a key into any partition',
    'puts each key into the partition that its hash says',
    (inner) => ({ waitingPartitions: async (to) => [...(await inner.waitingPartitions(to)), 99] }),
  ),
  fault('does not know how long it waits', 'says how much waits, and for how long', (inner) => ({
    status: async () => ({ ...(await inner.status()), oldestAgeMs: 0 }),
  })),
  ...refusalFaults,
  forgetsRollback<Outbox>(
    'keeps nothing of a message when the transaction is rolled back, and can do it again',
  ),
];
