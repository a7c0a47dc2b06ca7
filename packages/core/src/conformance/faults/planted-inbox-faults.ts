import type { Inbox, InboxKey } from '../../consume/inbox.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { StoreConformanceOptions } from '../store/store-bench.ts';
import { forgetsRollback, storeFault } from './store-fault.ts';

const apart = 'tells group, handler, source and id apart, whatever characters they have';

/** Ways in which an inbox can be wrong, each with the case of `describeInbox` that notices it. */
export const plantedInboxFaults: readonly PlantedFault<StoreConformanceOptions<Inbox>>[] = [
  ...(['group', 'handler', 'source', 'id'] as const).map((part) =>
    rekeyed(`does not look at the ${part}`, (key) => ({ ...key, [part]: 'any' })),
  ),
  rekeyed('joins the parts of its key with a colon', (key) => ({
    group: 'any',
    handler: 'any',
    source: 'any',
    id: Object.values(key).join(':'),
  })),
  storeFault<Inbox>('forgets what it recorded', 'records a handling once', (inner) => ({
    record: async (key, tx) => (await inner.record(key, tx)) || true,
  })),
  rekeyed(
    'does not look at former names',
    ({ formerly: _formerly, ...own }) => own,
    'knows what was handled under a former name',
  ),
  storeFault<Inbox>(
    'writes nothing under former names',
    'lets those know who still use a former name, until it is rolled back',
    lookingOnly,
  ),
  storeFault<Inbox>(
    'writes nothing more of what it knows by one name',
    'knows all names of a handling that it knew by one of them',
    stoppingAtFirst,
  ),
  storeFault<Inbox>(
    'prunes everything',
    'forgets what is older than it is told, and nothing younger',
    (inner) => ({ prune: () => inner.prune(0) }),
  ),
  forgetsRollback<Inbox>('forgets what was rolled back'),
];

function rekeyed(
  name: string,
  change: (key: InboxKey) => InboxKey,
  noticedBy: string = apart,
): PlantedFault<StoreConformanceOptions<Inbox>> {
  return storeFault<Inbox>(name, noticedBy, (inner) => ({
    record: (key, tx) => inner.record(change(key), tx),
  }));
}

/** Finds rows of former names, and has written none. */
function lookingOnly(inner: Inbox): Partial<Inbox> {
  const recorded = new Set<string>();
  return {
    record: async ({ formerly = [], ...key }, tx) => {
      if (formerly.some((handler) => recorded.has(JSON.stringify({ ...key, handler }))))
        return false;
      recorded.add(JSON.stringify(key));
      return await inner.record(key, tx);
    },
  };
}

/** Writes every name of what is new, and none of what is known by one of them. */
function stoppingAtFirst(inner: Inbox): Partial<Inbox> {
  const recorded = new Set<string>();
  return {
    record: async (key, tx) => {
      const { handler, formerly = [], ...rest } = key;
      const rows = [handler, ...formerly].map((name) => JSON.stringify({ name, ...rest }));
      if (rows.some((row) => recorded.has(row))) return false;
      for (const row of rows) recorded.add(row);
      return await inner.record(key, tx);
    },
  };
}
