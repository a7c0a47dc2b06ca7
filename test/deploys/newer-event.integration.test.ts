import { describe, expect, it } from 'vitest';

import { waitUntil } from '../../scripts/wait-until.ts';
import { deployModes } from './support/modes.ts';
import { DeployWorld, idsOf, numbers, patienceMs } from './support/deploy-world.ts';
import { expectHandled } from './support/rolling-deploy.ts';

const type = 'item.graded';
const handlers = [{ patterns: [type] }];
// Of ten keys, five have events of the newer version first.
const newer = numbers(1, 40).filter((number) => number % 10 < 5);
const older = numbers(1, 40).filter((number) => number % 10 >= 5);
const behind = numbers(41, 50);

describe.each(deployModes())('events of a newer version on %s', (mode) => {
  it('wait for the instance whose catalogue knows it, and keys that have none do not', async () => {
    await using world = await DeployWorld.create(mode);
    await world.start({ version: 'v1', handlers, knows: { [type]: 1 } });
    const knowing = { version: 'v2', handlers, knows: { [type]: 2 } };
    const young = await world.start(knowing);
    young.signal('SIGTERM');
    await young.finished(patienceMs);
    await world.publish([type], newer, 2);
    await world.publish([type], older, 1);
    const isAllSettled = async (): Promise<boolean> => (await world.unsettled()).length === 0;
    await waitUntil('everything is settled', isAllSettled, patienceMs);
    expect((await world.waiting()).toSorted()).toEqual(idsOf(type, newer).toSorted());
    expectHandled(world, await world.effects(), type, idsOf(type, older));

    await world.publish([type], behind, 1);
    await waitUntil('everything is settled', isAllSettled, patienceMs);
    await world.start(knowing);
    await waitUntil('everything is handled', () => world.isCaughtUp(), patienceMs);
    const effects = await world.effects();
    expectHandled(world, effects, type, idsOf(type, [...newer, ...older, ...behind]));
    const byYoung = effects.filter(({ by }) => by === 'v2').map(({ eventId }) => eventId);
    expect(byYoung).toEqual(expect.arrayContaining(idsOf(type, newer)));
    expect(await world.deadLetters()).toEqual([]);
  });
});
