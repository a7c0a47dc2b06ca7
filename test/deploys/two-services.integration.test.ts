import { describe, expect, it } from 'vitest';

import { waitUntil } from '../../scripts/wait-until.ts';
import { deployModes, inboxModes } from './support/modes.ts';
import { DeployWorld, idsOf, logLine, numbers, patienceMs } from './support/deploy-world.ts';

const handlers = [{ patterns: ['item.graded'] }];
const ids = idsOf('item.graded', numbers(1, 40)).toSorted();

describe.each(inboxModes())('two services in one group by mistake on %s', (mode) => {
  it('are both named by both of them, and both get every event once', async () => {
    await using world = await DeployWorld.create(mode);
    const grader = await world.start({
      version: 'grader',
      service: 'grader',
      handlers,
      logs: true,
    });
    const biller = await world.start({
      version: 'biller',
      service: 'biller',
      handlers,
      logs: true,
    });
    await world.publish(['item.graded'], numbers(1, 40));
    expect(await logLine(grader, /^warn GROUP_SHARED/)).toMatch(
      /services grader and biller .*stock/,
    );
    expect(await logLine(biller, /^warn GROUP_SHARED/)).toMatch(
      /services biller and grader .*stock/,
    );
    await waitUntil('everything is handled', () => world.isCaughtUp(), patienceMs);
    const effects = await world.effects();
    for (const service of ['grader', 'biller']) {
      const own = effects.filter(({ by }) => by === service);
      expect(own.map(({ eventId }) => eventId).toSorted(), service).toEqual(ids);
    }
    expect(await world.deadLetters()).toEqual([]);
  });
});

describe.runIf(deployModes().includes('streams alone'))(
  'two services in one group on streams without a database',
  () => {
    it('are kept apart: the second one is refused, by the names of both, until the first is retired', async () => {
      await using world = await DeployWorld.create('streams alone');
      const grader = await world.start({ version: 'grader', service: 'grader', handlers });
      const billing = { version: 'biller', service: 'biller', handlers };
      const refused = world.spawn(billing);
      const { code, message } = await refused.message<{ code: string; message: string }>(
        'refused',
        patienceMs,
      );
      expect(code).toBe('GROUP_TAKEN');
      expect(message).toMatch(/service grader \(worker grader-\d+\).*service biller/);
      await refused.finished(patienceMs);
      expect(refused.stderr).toBe('');
      await world.publish(['item.graded'], numbers(1, 20));
      await waitUntil('everything is handled', () => world.isCaughtUp(), patienceMs);

      grader.signal('SIGTERM');
      await grader.finished(patienceMs);
      await world.retire({ service: 'grader', by: 'ann', reason: 'renamed' });
      await world.start(billing);
      await world.publish(['item.graded'], numbers(21, 40));
      await waitUntil('everything is handled', () => world.isCaughtUp(), patienceMs);
      const effects = await world.effects();
      expect(effects.map(({ eventId }) => eventId).toSorted()).toEqual(ids);
    });
  },
);
