import type { NewHandover } from '../../transport/handover-queue.ts';
import { handoverFault, type HandoverFault } from './handover-fault.ts';

const byKind = 'tells what waits by handler, type and version, the oldest first';
const whatWaits = 'counts what somebody has taken, and nothing that has ended';
const oldOnes = 'forgets what ended longer ago than it is told, and nothing that waits';
const endsWaiting = 'ends what waits for the handler, and says how much that was';
const leavesOthers = 'leaves other handlers and other groups alone';
const isBack = 'takes in new ones when the handler is back, and leaves skipped what was';

/** Ways in which a queue can tell people wrongly what waits, or forget it at the wrong time. */
const countingFaults: readonly HandoverFault[] = [
  handoverFault('tells the newest kind first', byKind, (inner) => ({
    open: async (group) => (await inner.open(group)).toReversed(),
  })),
  handoverFault('tells another time for the oldest', byKind, (inner) => ({
    open: async (group) =>
      (await inner.open(group)).map((kind) => ({
        ...kind,
        oldest: new Date(kind.oldest.getTime() + 1),
      })),
  })),
  handoverFault('counts groups together', byKind, (inner) => ({
    open: async (group) => [...(await inner.open(group)), ...(await inner.open('shipping'))],
  })),
  handoverFault('does not count what somebody has taken', whatWaits, (inner) => {
    let taken = 0;
    return {
      claim: async (group, options) => {
        const claims = await inner.claim(group, options);
        taken += claims.length;
        return claims;
      },
      open: async (group) =>
        (await inner.open(group)).map((kind) => ({ ...kind, count: kind.count - taken })),
    };
  }),
  handoverFault('counts what is done', whatWaits, (inner) => {
    let done = 0;
    return {
      settle: async (claim) => {
        done += 1;
        return await inner.settle(claim);
      },
      open: async (group) =>
        (await inner.open(group)).map((kind) => ({ ...kind, count: kind.count + done })),
    };
  }),
  handoverFault('forgets everything that has ended', oldOnes, (inner) => ({
    prune: () => inner.prune(0),
  })),
  handoverFault('forgets nothing', oldOnes, () => ({ prune: async () => 0 })),
  handoverFault('forgets what waits for long', oldOnes, (inner) => {
    let waiting: NewHandover[] = [];
    return {
      add: async (rows, options) => {
        waiting = [...waiting, ...rows];
        await inner.add(rows, options);
      },
      prune: async (olderThanMs) => {
        const pruned = await inner.prune(olderThanMs);
        if (pruned === 0) return pruned;
        const groups = new Set(waiting.map(({ group }) => group));
        for (const group of groups)
          await inner.retire(group, 'book', { by: 'nobody', reason: 'age' });
        return pruned;
      },
    };
  }),
];

/** Ways in which a queue can give up a handler wrongly. */
const retiringFaults: readonly HandoverFault[] = [
  handoverFault('retires a handler from now on only', endsWaiting, () => ({
    retire: async () => 0,
  })),
  handoverFault('retires a whole group', leavesOthers, (inner) => ({
    retire: async (group, handler, retirement) => {
      let skipped = 0;
      for (const each of ['book', 'ship']) skipped += await inner.retire(group, each, retirement);
      return handler === '' ? 0 : skipped;
    },
  })),
  handoverFault('retires a handler in every group', leavesOthers, (inner) => ({
    retire: async (_group, handler, retirement) => {
      let skipped = 0;
      for (const group of ['billing', 'shipping']) {
        skipped += await inner.retire(group, handler, retirement);
      }
      return skipped;
    },
  })),
  handoverFault(
    'lets claims of a retired handler go on',
    'ends claims that are under way',
    (inner) => {
      let hasRetired = false;
      return {
        retire: async (...given) => {
          hasRetired = true;
          return await inner.retire(...given);
        },
        settle: async (claim) => (await inner.settle(claim)) || hasRetired,
      };
    },
  ),
  handoverFault('skips what is done, too', 'leaves what is done as it is', (inner) => {
    let done = 0;
    return {
      settle: async (claim) => {
        done += 1;
        return await inner.settle(claim);
      },
      retire: async (...given) => (await inner.retire(...given)) + done,
    };
  }),
  handoverFault(
    'keeps for later what comes for a retired handler',
    'skips what is added for the handler later',
    (inner) => ({
      retire: async (group, handler, retirement) => {
        const skipped = await inner.retire(group, handler, retirement);
        await inner.reinstate(group, [handler]);
        return skipped;
      },
    }),
  ),
  handoverFault('takes back no retirement', isBack, () => ({ reinstate: async () => undefined })),
  handoverFault('takes back every retirement of a group', isBack, (inner) => ({
    reinstate: (group, handlers) => inner.reinstate(group, [...handlers, 'book', 'ship']),
  })),
  handoverFault('waits again for what was skipped', isBack, (inner) => {
    const added = new Map<string, NewHandover>();
    return {
      add: async (rows, options) => {
        for (const row of rows) added.set(row.eventId, row);
        await inner.add(rows, options);
      },
      reinstate: async (group, handlers) => {
        await inner.reinstate(group, handlers);
        const again = [...added.values()].map((row) => ({
          ...row,
          eventId: `${row.eventId} again`,
        }));
        await inner.add(again);
      },
    };
  }),
  handoverFault(
    'takes back retirements in every group',
    'takes back a retirement in its group alone',
    (inner) => ({
      reinstate: async (_group, handlers) => {
        for (const group of ['billing', 'shipping']) await inner.reinstate(group, handlers);
      },
    }),
  ),
  handoverFault(
    'asks nobody who decided',
    'is refused where nobody, or no reason, is named',
    (inner) => ({
      retire: (group, handler, { by, reason }) =>
        inner.retire(group, handler, { by: by || 'nobody', reason: reason.trim() || 'none' }),
    }),
  ),
];

/** Ways in which a queue can end handovers wrongly. */
export const handoverEndFaults: readonly HandoverFault[] = [...countingFaults, ...retiringFaults];
