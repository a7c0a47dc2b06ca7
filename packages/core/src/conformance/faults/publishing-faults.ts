import { randomIds } from '../../ids.ts';
import { HeldKeys, type PublishOutcome } from '../../transport/publish-outcome.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { TransportConformanceOptions } from '../transport/transport-bench.ts';
import { transportFault } from './transport-fault.ts';

const outcomes =
  'refuses a message that it cannot carry, holds back its key, and takes the rest of the call';
const foreign = 'accepts nothing if the server bears another mark than is expected';

/** Publishes say something else than what became of each message, or reach another server than was meant. */
export const publishingFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  transportFault('lets a key go on behind a message that it refused', outcomes, () => (inner) => ({
    publish: async (messages, options) => {
      const each = messages.map((message) => inner.publish([message], options));
      return (await Promise.all(each)).flat();
    },
  })),
  transportFault(
    'holds back every key behind a message that it refused',
    outcomes,
    () => (inner) => ({
      publish: async (messages, options) => {
        const held = new HeldKeys();
        const bad = messages.findIndex((message) => held.refusalOf(message) !== undefined);
        if (bad < 0) return await inner.publish(messages, options);
        const before = await inner.publish(messages.slice(0, bad), options);
        const [refusal] = await inner.publish([messages[bad]!], options);
        return [...before, ...messages.slice(bad).map(() => refusal!)];
      },
    }),
  ),
  transportFault('takes all of a call or nothing', outcomes, () => (inner) => ({
    publish: async (messages, options) => {
      const held = new HeldKeys();
      const refusals = messages.flatMap((message) => held.refusalOf(message) ?? []);
      if (refusals.length === 0) return await inner.publish(messages, options);
      return messages.map(() => refusals[0]!);
    },
  })),
  transportFault('says that it took what it refused', outcomes, () => (inner) => ({
    publish: async (messages, options) =>
      (await inner.publish(messages, options)).map((): PublishOutcome => ({
        status: 'accepted',
        position: '0',
      })),
  })),
  transportFault('says that a refusal for good passes by itself', outcomes, () => (inner) => ({
    publish: async (messages, options) => {
      const given = await inner.publish(messages, options);
      return given.map((outcome, index) => {
        if (outcome.status !== 'refused') return outcome;
        const behind = given.findLast((each) => each.status === 'refused');
        return index === given.indexOf(outcome) ? behind! : outcome;
      });
    },
  })),
  transportFault('holds a key back for ever', 'takes a key again with the next call', () => {
    const held = new HeldKeys();
    return (inner) => ({
      publish: async (messages, options) => {
        const refusals = messages.map((message) => held.refusalOf(message));
        const given = await inner.publish(messages, options);
        return given.map((outcome, index) => refusals[index] ?? outcome);
      },
    });
  }),
  transportFault(
    'names a destination for each instance',
    'names where messages go, the same for every instance, without an address',
    () => () => ({ destination: randomIds() }),
  ),
  transportFault(
    'marks its server anew each time',
    'marks its server once, and every instance finds that mark',
    () => () => ({ mark: async (candidate) => candidate }),
  ),
  transportFault('does not look at the mark', foreign, () => (inner) => ({
    publish: (messages) => inner.publish(messages),
  })),
  transportFault('looks at the mark when it is too late', foreign, () => (inner) => ({
    publish: async (messages, options) => {
      const given = await inner.publish(messages);
      await inner.publish([], options);
      return given;
    },
  })),
];
