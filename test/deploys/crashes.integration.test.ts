import type { CrashPlan } from '@waybill/testing';
import { describe, expect, it } from 'vitest';

import { waitUntil } from '../../scripts/wait-until.ts';
import { deployModes, type DeployMode } from './support/modes.ts';
import { DeployWorld, idsOf, numbers, patienceMs } from './support/deploy-world.ts';
import { expectHandled, expectOrder } from './support/rolling-deploy.ts';

const type = 'item.graded';
const old = { version: 'v1', handlers: [{ patterns: ['item.received'] }] };
const young = {
  version: 'v2',
  handlers: [{ patterns: ['item.received'] }, { patterns: [type] }],
};

const row = 'INSERT event_handover #3';
const commit = 'COMMIT (LOCK event_log_consumer, INSERT event_handover) #3';
const entry = 'SCRIPT (HINCRBY, HDEL, ZREM, SREM, HSET, ZADD, HEXISTS, INCR) #3';
const told = 'SCRIPT (XACK)';

/** Around leaving an event for another instance, and telling the broker so. */
const plans: Readonly<Record<DeployMode, readonly CrashPlan[]>> = {
  log: [
    { moment: 'before', point: row },
    { moment: 'before', point: commit },
    { moment: 'after', point: commit },
    { moment: 'before', point: `settle ${type} #3` },
    { moment: 'before', point: 'UPDATE event_log_group #3' },
  ],
  'streams and a database': [
    { moment: 'before', point: row },
    { moment: 'after', point: row },
    { moment: 'before', point: told },
    { moment: 'after', point: told },
  ],
  'streams alone': [
    { moment: 'before', point: entry },
    { moment: 'after', point: entry },
    { moment: 'before', point: told },
    { moment: 'after', point: told },
  ],
};

describe.each(deployModes())('an old version that leaves events for a young one on %s', (mode) => {
  it('loses none and leaves none twice, wherever it is killed', async () => {
    await using world = await DeployWorld.create(mode);
    const first = await world.start(young);
    first.signal('SIGTERM');
    await first.finished(patienceMs);
    let last = 0;
    for (const plan of plans[mode]) {
      const doomed = await world.start({ ...old, plan });
      await world.publish([type], numbers(last + 1, (last += 20)));
      await expect(doomed.killed('SIGKILL', 15_000), JSON.stringify(plan)).resolves.toBeUndefined();
    }
    await world.start(young);
    await waitUntil('everything is handled', () => world.isCaughtUp(), patienceMs);
    const effects = await world.effects();
    expectHandled(world, effects, type, idsOf(type, numbers(1, last)));
    if (mode === 'log') expectOrder(effects);
    expect(await world.deadLetters()).toEqual([]);
  });
});
