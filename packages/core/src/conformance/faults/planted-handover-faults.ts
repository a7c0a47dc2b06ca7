import type { Message } from '../../event/message.ts';
import { wantedTransaction } from '../../handler-scope.ts';
import { randomIds } from '../../ids.ts';
import type {
  HandoverClaim,
  HandoverQuestion,
  HandoverQueue,
  NewHandover,
} from '../../transport/handover-queue.ts';
import { handoverClaimFaults } from './handover-claim-faults.ts';
import { handoverEndFaults } from './handover-end-faults.ts';
import { handoverFault, type HandoverFault } from './handover-fault.ts';
import { headerFaults, withMessage, withoutHeaders } from './header-faults.ts';
import { forgetsRollback } from './store-fault.ts';

const whole = 'gives back the message as it was received';
const again = 'keeps one of those that are added again, in one call, later and at once';
const apart = 'tells group, handler, source and id apart, whatever characters they have';
const inOrder = 'answers each of many questions in the order given';
const atMost = 'takes 100 questions at once, and refuses more';
const rolledBack =
  'keeps nothing of a handover when the transaction is rolled back, and can do it again';
const onlyOne = 'has one name, which no other place has, or none';

/** Ways in which a queue can keep handovers wrongly. */
const keepingFaults: readonly HandoverFault[] = [
  handoverFault(
    'takes every name for one that was given',
    'gives back what was added',
    onAdded((row) => ({ ...row, derived: false })),
  ),
  handoverFault(
    'forgets where there is no partition',
    'gives back what was added',
    onAdded((row) => ({ ...row, coordinates: { partition: 0, ...row.coordinates } })),
  ),
  ...headerFaults.map(({ name, change }) => handoverFault(name, whole, onMessage(change))),
  handoverFault('forgets headers', whole, onMessage(withoutHeaders)),
  handoverFault(
    'keeps raw bytes as text',
    whole,
    onMessage((message) => ({ ...message, body: Buffer.from(message.body).toString('utf8') })),
  ),
  handoverFault(
    'spells out separators of lines in a key',
    whole,
    onMessage((message) => ({
      ...message,
      key: message.key.replaceAll('\u2028', String.raw`\u2028`),
    })),
  ),
  handoverFault('makes a row each time', again, (inner) => {
    let added = 0;
    return {
      add: (rows, options) =>
        inner.add(
          rows.map((row) => ({ ...row, eventId: (added += 1) === 1 ? row.eventId : randomIds() })),
          options,
        ),
    };
  }),
  handoverFault('takes up again what is done', 'does not take up again what is done', (inner) => {
    const done = new Set<string>();
    return {
      add: (rows, options) =>
        inner.add(
          rows.map((row) => (done.has(row.eventId) ? { ...row, eventId: randomIds() } : row)),
          options,
        ),
      settle: async (claim) => {
        done.add(claim.handover.eventId);
        return await inner.settle(claim);
      },
    };
  }),
  handoverFault(
    'gives up a claim when its event is added again',
    'leaves a claim as it is when its event is added again',
    (inner) => {
      const claimed = new Map<string, HandoverClaim>();
      return {
        add: async (rows, options) => {
          for (const { eventId } of rows) {
            const held = claimed.get(eventId);
            if (held) await inner.release(held);
          }
          await inner.add(rows, options);
        },
        claim: async (group, options) => {
          const claims = await inner.claim(group, options);
          for (const each of claims) claimed.set(each.handover.eventId, each);
          return claims;
        },
      };
    },
  ),
  rekeyed('does not look at the group', { group: () => 'any' }),
  rekeyed('does not look at the handler', { handler: () => 'any' }),
  rekeyed('does not look at the source', { source: () => 'any' }),
  rekeyed('does not look at the id', { eventId: () => 'any' }),
  rekeyed('joins the parts of its key with a colon', {
    group: ({ group, handler, source, eventId }) => [group, handler, source, eventId].join(':'),
    handler: () => 'any',
    source: () => 'any',
    eventId: () => 'any',
  }),
  handoverFault('makes something of nothing', 'adds nothing where nothing is given', (inner) => ({
    add: (rows, options) => inner.add(rows.length === 0 ? [strayRow] : rows, options),
  })),
];

/** Ways in which a queue can answer handlers wrongly. */
const lookingFaults: readonly HandoverFault[] = [
  handoverFault(
    'forgets what is done',
    'knows an event that was left for a handler, whatever became of it',
    (inner) => {
      const done = new Set<string>();
      return {
        settle: async (claim) => {
          done.add(claim.handover.eventId);
          return await inner.settle(claim);
        },
        look: async (questions) =>
          (await inner.look(questions)).map((answer, at) =>
            done.has(questions[at]!.eventId) ? 'none' : answer,
          ),
      };
    },
  ),
  handoverFault(
    'looks at the first name of a handler only',
    'knows what was left for a handler under any of its names',
    onAsked((question) => ({ ...question, handlers: question.handlers.slice(0, 1) })),
  ),
  handoverFault(
    'lets handlers wait for each other',
    'says that others of a key wait for the handler, and of nothing else',
    onAsked((question) => ({ ...question, handlers: [...question.handlers, 'book'] })),
  ),
  handoverFault(
    'does not count as waiting what somebody has taken',
    'counts as waiting what somebody has taken, until it is done',
    (inner) => {
      let taken = 0;
      return {
        claim: async (group, options) => {
          const claims = await inner.claim(group, options);
          taken += claims.length;
          return claims;
        },
        look: async (questions) =>
          (await inner.look(questions)).map((answer) =>
            answer === 'waiting' && taken > 0 ? 'none' : answer,
          ),
      };
    },
  ),
  handoverFault('answers in an order of its own', inOrder, (inner) => ({
    look: async (questions) => (await inner.look(questions)).toSorted(),
  })),
  handoverFault('answers a question once however often it is asked', inOrder, (inner) => ({
    look: async (questions) => {
      const asked = new Map(questions.map((question) => [JSON.stringify(question), question]));
      return await inner.look([...asked.values()]);
    },
  })),
  handoverFault('answers the first ten only', atMost, (inner) => ({
    look: async (questions) =>
      (await inner.look(questions)).map((answer, at) => (at < 10 ? answer : 'none')),
  })),
  handoverFault('takes as many questions as there are', atMost, (inner) => ({
    look: async (questions) => [
      ...(await inner.look(questions.slice(0, 100))),
      ...(await inner.look(questions.slice(100))),
    ],
  })),
];

const placeFaults: readonly HandoverFault[] = [
  handoverFault('calls every place the same', onlyOne, () => ({ identity: async () => 'here' })),
  handoverFault('names its place anew each time', onlyOne, () => ({
    identity: async () => randomIds(),
  })),
  handoverFault(
    'names itself instead of its place',
    'has the same name for every instance, and they share what is in it',
    () => {
      const own = randomIds();
      return { identity: async () => own };
    },
  ),
];

const transactionFaults: readonly HandoverFault[] = [
  forgetsRollback<HandoverQueue>(rolledBack),
  handoverFault(
    'overlooks a transaction that it cannot join',
    'refuses by name to join a transaction with a handover',
    (inner) => ({ add: (rows) => inner.add(rows) }),
  ),
  handoverFault(
    'refuses to write inside a handler with a transaction',
    'keeps a handover at once, whatever transaction the handler that it is called in has',
    (inner) => ({
      add: (rows, options) => inner.add(rows, { tx: wantedTransaction(options) }),
    }),
  ),
];

/** Ways in which a queue of handovers can be wrong, each with the case of `describeHandoverQueue` that notices it. */
export const plantedHandoverFaults: readonly HandoverFault[] = [
  ...keepingFaults,
  ...lookingFaults,
  ...handoverClaimFaults,
  ...handoverEndFaults,
  ...placeFaults,
  ...transactionFaults,
];

/** What a queue holds that makes a row of everything. */
const strayRow: NewHandover = {
  group: 'billing',
  handler: 'book',
  derived: false,
  eventId: 'stray',
  eventType: 'order.placed',
  eventVersion: 1,
  source: 'nowhere',
  coordinates: { transport: 'test', stream: 'orders', position: '0' },
  message: { id: '', type: '', key: '', contentType: '', body: '' },
};

/** Changes rows on their way in. */
function onAdded(
  change: (row: NewHandover) => NewHandover,
): (inner: HandoverQueue) => Partial<HandoverQueue> {
  return (inner) => ({ add: (rows, options) => inner.add(rows.map(change), options) });
}

function onMessage(
  change: (message: Message) => Message,
): (inner: HandoverQueue) => Partial<HandoverQueue> {
  return onAdded((row) => withMessage(row, change(row.message)));
}

/** Changes questions on their way in. */
function onAsked(
  change: (question: HandoverQuestion) => HandoverQuestion,
): (inner: HandoverQueue) => Partial<HandoverQueue> {
  return (inner) => ({ look: (questions) => inner.look(questions.map(change)) });
}

type Names = Pick<NewHandover, 'group' | 'handler' | 'source' | 'eventId'>;

/** Keeps handovers under other names, and looks for them there. */
function rekeyed(
  name: string,
  changes: { readonly [Name in keyof Names]?: (names: Names) => string },
): HandoverFault {
  const change = (names: Names): Partial<Names> =>
    Object.fromEntries(Object.entries(changes).map(([part, rename]) => [part, rename(names)]));
  return handoverFault(name, apart, (inner) => ({
    add: (rows, options) =>
      inner.add(
        rows.map((row) => ({ ...row, ...change(row) })),
        options,
      ),
    look: (questions) =>
      inner.look(
        questions.map((question) => {
          const { handler, ...rest } = {
            ...change({ ...question, handler: question.handlers[0]! }),
          };
          return {
            ...question,
            ...rest,
            ...(handler === undefined ? {} : { handlers: [handler] }),
          };
        }),
      ),
  }));
}
