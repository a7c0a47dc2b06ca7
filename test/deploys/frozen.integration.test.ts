import { describe, expect, it } from 'vitest';

import { waitUntil } from '../../scripts/wait-until.ts';
import { deployModes } from './support/modes.ts';
import { DeployWorld, idsOf, numbers, patienceMs } from './support/deploy-world.ts';
import { expectHandled } from './support/rolling-deploy.ts';

const both = ['item.received', 'item.graded'];

describe.each(deployModes())('an old version that is frozen during a deploy on %s', (mode) => {
  it('loses what it holds to the young one, and nothing is lost or applied twice when it goes on', async () => {
    await using world = await DeployWorld.create(mode);
    const old = await world.start({
      version: 'v1',
      handlers: [{ patterns: ['item.received'] }],
      workMs: 20,
      silentMs: 1_000,
    });
    await world.publish(both, numbers(1, 20));
    await world.start({
      version: 'v2',
      handlers: [{ patterns: ['item.received'] }, { patterns: ['item.graded'] }],
      silentMs: 1_000,
    });
    const unsettled = await world.unsettled();
    await world.publish(both, numbers(21, 200));
    // In the middle of a handler, with much behind it.
    await waitUntil(
      'the old one has something',
      async () => {
        const effects = await world.effects();
        return effects.filter(({ by }) => by === 'v1').length >= 3;
      },
      patienceMs,
    );
    old.signal('SIGSTOP');
    await world.endTransactionsOf('v1');
    await waitUntil('the young one has taken over', () => world.isCaughtUp(), patienceMs);
    const taken = new Set((await world.effects()).map(({ eventId }) => eventId));
    expect(idsOf('item.received', numbers(1, 200)).filter((id) => !taken.has(id))).toEqual([]);

    old.signal('SIGCONT');
    await world.publish(both, numbers(201, 240));
    await waitUntil('everything is handled', () => world.isCaughtUp(), patienceMs);
    old.signal('SIGTERM');
    await old.finished(patienceMs);
    const effects = await world.effects();
    expectHandled(world, effects, 'item.received', idsOf('item.received', numbers(1, 240)));
    const graded = effects.filter(({ handler }) => handler === 'item.graded');
    const had = graded.map(({ eventId }) => eventId);
    const owed = [
      ...unsettled.filter((id) => id.startsWith('graded')),
      ...idsOf('item.graded', numbers(21, 240)),
    ];
    expect(owed.filter((id) => !had.includes(id))).toEqual([]);
    if (world.hasInbox) expect(had).toHaveLength(new Set(had).size);
    expect(await world.deadLetters()).toEqual([]);
  });
});
