import type { DeadLetterKey, DeadLetterSink } from '../../consume/dead-letter-sink.ts';
import type { DeadLetter, NewDeadLetter } from '../../consume/dead-letter.ts';
import type { Message } from '../../event/message.ts';
import { wantedTransaction } from '../../handler-scope.ts';
import { randomIds } from '../../ids.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { StoreConformanceOptions } from '../store/store-bench.ts';
import { headerFaults, withMessage, withoutHeaders } from './header-faults.ts';
import { forgetsRollback, storeFault, type StoreChanges } from './store-fault.ts';

type SinkFault<Store> = PlantedFault<StoreConformanceOptions<Store>>;

const comesAgain =
  'keeps one row for a failure that comes again: attempts are added up, the reason is the last';
const whole = 'gives back the message as it was received, and the last one where it came again';
const inOrder = 'answers each of many keys in the order given, whatever they are found by';

/** Ways in which a dead-letter sink can be wrong, each with the case of `describeDeadLetterSink` that notices it. */
export const plantedDeadLetterSinkFaults: readonly SinkFault<DeadLetterSink>[] =
  sinkFaults<DeadLetterSink>();

/** The same for stores that are a sink and more. */
export function sinkFaults<Store extends DeadLetterSink>(): SinkFault<Store>[] {
  return [
    ...recordingFaults<Store>(),
    ...messageFaults<Store>(),
    ...findingFaults<Store>(),
    forgetsRollback<Store>(
      'keeps nothing of a dead letter when the transaction is rolled back, and can do it again',
    ),
    fault<Store>(
      'overlooks a transaction that it cannot join',
      'refuses by name to join a transaction with a dead letter',
      (inner) => ({ add: (failure) => inner.add(failure) }),
    ),
    fault<Store>(
      'refuses to write inside a handler with a transaction',
      'keeps a dead letter at once, whatever transaction the handler that it is called in has',
      (inner) => ({
        add: (failure, options) => inner.add(failure, { tx: wantedTransaction(options) }),
      }),
    ),
  ];
}

function recordingFaults<Store extends DeadLetterSink>(): SinkFault<Store>[] {
  return [
    fault<Store>('makes a row for every failure', comesAgain, (inner) => ({
      add: (failure, options) =>
        inner.add({ ...failure, event: { ...failure.event!, id: randomIds() } }, options),
    })),
    fault<Store>(
      'forgets attempts made before',
      comesAgain,
      onFound((row) => ({ ...row, totalAttempts: Math.min(row.totalAttempts, 3) })),
    ),
    fault<Store>(
      'keeps the first reason',
      comesAgain,
      onFound((row) => ({ ...row, failureReason: 'first' })),
    ),
    fault<Store>(
      'keeps raw bytes as text',
      'keeps what cannot be read, byte for byte',
      onMessage((message) => ({ ...message, body: Buffer.from(message.body).toString('utf8') })),
    ),
  ];
}

function messageFaults<Store extends DeadLetterSink>(): SinkFault<Store>[] {
  return [
    ...headerFaults.map(({ name, change }) => fault<Store>(name, whole, onMessage(change))),
    fault<Store>('forgets headers', whole, onMessage(withoutHeaders)),
    fault<Store>(
      'takes the id of the message from its event',
      whole,
      onMessage((message, { event }) => ({ ...message, id: event?.id ?? message.id })),
    ),
    fault<Store>(
      'spells out control characters in a key',
      whole,
      onMessage((message) => ({
        ...message,
        key: message.key.replaceAll('\0', String.raw`\x00`),
      })),
    ),
    fault<Store>('keeps the first message of a failure that comes again', whole, (inner) => {
      const first = new Map<string, Message>();
      return {
        add: async (failure, options) => {
          const id = await inner.add(failure, options);
          if (!first.has(id)) first.set(id, failure.message);
          return id;
        },
        find: async (keys) =>
          (await inner.find(keys)).map((row) => row && withMessage(row, first.get(row.id)!)),
      };
    }),
  ];
}

function findingFaults<Store extends DeadLetterSink>(): SinkFault<Store>[] {
  return [
    fault<Store>(
      'finds unreadable messages by their position alone',
      'finds an unreadable message by its place, and by nothing less',
      (inner) => ({ find: (keys) => inner.find(keys.map(inPartitionThree)) }),
    ),
    fault<Store>('leaves out what it does not find', inOrder, (inner) => ({
      find: async (keys) => (await inner.find(keys)).filter((found) => found !== null),
    })),
    fault<Store>('answers in an order of its own', inOrder, (inner) => ({
      find: async (keys) =>
        (await inner.find(keys)).toSorted((a, b) => Number(a === null) - Number(b === null)),
    })),
    fault<Store>('answers a key once however often it is asked for', inOrder, (inner) => ({
      find: async (keys) => {
        const given = new Set<string>();
        return (await inner.find(keys)).map((row) => {
          if (!row || given.has(row.id)) return null;
          given.add(row.id);
          return row;
        });
      },
    })),
    fault<Store>(
      'finds the first ten only',
      'takes 100 keys at once, and refuses more',
      (inner) => ({
        find: async (keys) => (await inner.find(keys)).map((row, at) => (at < 10 ? row : null)),
      }),
    ),
    fault<Store>(
      'takes as many keys as there are',
      'takes 100 keys at once, and refuses more',
      (inner) => ({
        find: async (keys) => [
          ...(await inner.find(keys.slice(0, 100))),
          ...(await inner.find(keys.slice(100))),
        ],
      }),
    ),
  ];
}

function fault<Store extends DeadLetterSink>(
  name: string,
  noticedBy: string,
  changes: StoreChanges<DeadLetterSink>,
): SinkFault<Store> {
  return storeFault<Store>(name, noticedBy, (inner) => changes(inner) as Partial<Store>);
}

/** Changes messages on their way in. */
function onMessage(
  change: (message: Message, failure: NewDeadLetter) => Message,
): StoreChanges<DeadLetterSink> {
  return (inner) => ({
    add: (failure, options) =>
      inner.add(withMessage(failure, change(failure.message, failure)), options),
  });
}

/** Changes rows on their way out. */
function onFound(change: (row: DeadLetter) => DeadLetter): StoreChanges<DeadLetterSink> {
  return (inner) => ({
    find: async (keys) => (await inner.find(keys)).map((row) => row && change(row)),
  });
}

function inPartitionThree(key: DeadLetterKey): DeadLetterKey {
  if (!('coordinates' in key)) return key;
  return { ...key, coordinates: { ...key.coordinates, partition: 3 } };
}
