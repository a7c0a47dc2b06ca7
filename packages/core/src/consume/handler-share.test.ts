import { expect, it } from 'vitest';

import type { KnownHandlerSet } from '../transport/group-registry.ts';
import { HandlerShares } from './handler-share.ts';

/** A version whose handlers without a name all want one type. */
function version(id: string, ...names: string[]): KnownHandlerSet {
  const patterns = ['item.graded'];
  const handlers = names.map((name) => ({ name, patterns, derived: true, formerly: [] }));
  const times = { registeredAgoMs: 0, seenAgoMs: 0 };
  return { id, service: '', sharedBy: null, versions: {}, worker: id, handlers, ...times };
}

it('owes each version of a service something that it takes itself', () => {
  const sets = [version('1', 'w'), version('2', 'q', 'p'), version('3', 'p', 'o')];
  const copy = { version: 'v', owner: '', sets };
  const { owed } = new HandlerShares(version('0'), copy).of('item.graded', 1);
  for (const set of sets) {
    const shares = new HandlerShares(set, copy);
    const takers = owed.map(({ name: handler }) =>
      shares.takerOf({ handler, eventType: 'item.graded', eventVersion: 1 }),
    );
    for (const { name } of set.handlers) expect(takers).toContain(name);
  }
});
