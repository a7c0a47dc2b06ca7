import { describe, expect, it } from 'vitest';

import { waitUntil } from '../../scripts/wait-until.ts';
import { inboxModes } from './support/modes.ts';
import { DeployWorld, idsOf, logLine, numbers, patienceMs } from './support/deploy-world.ts';
import { expectHandled } from './support/rolling-deploy.ts';

const patterns = ['item.received', 'item.graded'];

describe.each(inboxModes())('a handler that gets more types with a deploy on %s', (mode) => {
  it('applies nothing again where it says what it was called, though its old version was killed', async () => {
    await using world = await DeployWorld.create(mode);
    const old = world.spawn({
      version: 'v1',
      handlers: [{ patterns: ['item.received'] }],
      // What it has applied then is not settled.
      plan: { point: 'settle item.received #7', moment: 'before' },
    });
    await old.message('ready', patienceMs);
    await world.publish(['item.received'], numbers(1, 20));
    await old.killed('SIGKILL', patienceMs);
    const applied = (await world.effects()).length;
    expect(applied).toBeGreaterThanOrEqual(7);

    const handlers = [{ patterns, formerly: ['item.received'] }];
    const young = await world.start({ version: 'v2', handlers });
    // Also what a relay publishes again.
    await world.publish(['item.received'], numbers(1, 20));
    await world.publish(['item.graded'], numbers(1, 5));
    await waitUntil('everything is handled', () => world.isCaughtUp(), patienceMs);
    const all = [...idsOf('item.received', numbers(1, 20)), ...idsOf('item.graded', numbers(1, 5))];
    const effects = await world.effects();
    const handled = effects.map((effect) => ({ ...effect, handler: 'it' }));
    expectHandled(world, handled, 'it', all);
    expect(young.stderr).not.toContain('HANDLER_RENAMED');
  });

  it('is warned of with both names where it does not say so', async () => {
    await using world = await DeployWorld.create(mode);
    const old = await world.start({ version: 'v1', handlers: [{ patterns: ['item.received'] }] });
    old.signal('SIGTERM');
    await old.finished(patienceMs);
    const young = await world.start({ version: 'v2', handlers: [{ patterns }], logs: true });
    expect(await logLine(young, /^warn HANDLER_RENAMED/)).toMatch(
      /handler item\.graded,item\.received of group stock .*called item\.received;.*formerly: \['item\.received'\]/,
    );
  });
});
