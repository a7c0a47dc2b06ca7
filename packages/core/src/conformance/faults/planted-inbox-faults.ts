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
): PlantedFault<StoreConformanceOptions<Inbox>> {
  return storeFault<Inbox>(name, apart, (inner) => ({
    record: (key, tx) => inner.record(change(key), tx),
  }));
}
