import { describe, expect, it } from 'vitest';

import { deployModes } from './support/modes.ts';
import { DeployWorld } from './support/deploy-world.ts';
import {
  expectNothingLost,
  expectOrder,
  roll,
  type DeployOutcome,
  type RollingDeploy,
} from './support/rolling-deploy.ts';

const both = ['item.received', 'item.graded'];

describe.each(deployModes())('a rolling deploy on %s', (mode) => {
  it.each(['stopped', 'killed'] as const)(
    'brings a new type to the version that handles it, also when the old one is %s',
    async (ends) => {
      await expectDeploy(
        {
          old: [{ patterns: ['item.received'] }],
          young: [{ patterns: ['item.received'] }, { patterns: ['item.graded'], waits: true }],
          types: both,
          added: { type: 'item.graded', handler: 'item.graded' },
          ends,
          count: 200,
        },
        { 'item.received': 'item.received' },
      );
    },
  );

  it('brings a type that the old version handles to a second handler as well', async () => {
    await expectDeploy(
      {
        old: [{ patterns: ['item.received'] }],
        young: [
          { patterns: ['item.received'] },
          { patterns: ['item.received'], name: 'audit', waits: true },
        ],
        types: ['item.received'],
        added: { type: 'item.received', handler: 'audit' },
        ends: 'killed',
        count: 100,
      },
      { 'item.received': 'item.received' },
    );
  });

  it('brings a type to a second handler without a name where both versions take every type', async () => {
    await expectDeploy(
      {
        old: [{ patterns: ['item.*'] }],
        young: [{ patterns: ['item.*'] }, { patterns: ['item.graded'], waits: true }],
        types: ['item.graded'],
        added: { type: 'item.graded', handler: 'item.graded' },
        ends: 'stopped',
        count: 100,
      },
      { 'item.*': 'item.graded' },
    );
  });

  /** @param known The handlers that both versions have, and what each is for. */
  async function expectDeploy(
    deploy: RollingDeploy,
    known: Readonly<Record<string, string>>,
  ): Promise<void> {
    await using world = await DeployWorld.create(mode);
    const outcome = await roll(world, deploy);
    await expectNothingLost(world, deploy, outcome, known);
    if (mode === 'log') expectOrder(outcome.effects);
    else expectOrderBehind(outcome, deploy.added.handler);
  }
});

/**
 * Expects that what was published when the old version was gone came behind what waited of its key, in its order.
 * What waited is in the order in which two processes have left it.
 */
function expectOrderBehind({ waited, later, effects }: DeployOutcome, handler: string): void {
  const own = effects.filter((effect) => effect.handler === handler);
  expectOrder(own.filter(({ eventId }) => later.includes(eventId)));
  for (const [key, ofKey] of Map.groupBy(own, (effect) => effect.key)) {
    const ids = ofKey.map(({ eventId }) => eventId);
    const firstLater = ids.findIndex((id) => later.includes(id));
    const tooLate = waited.filter((id) => ids.includes(id) && ids.indexOf(id) > firstLater);
    expect(tooLate, key).toEqual([]);
  }
}
