import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { hasPostgres } from '../../../scripts/services/test-database.ts';
import { hasRedis } from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import { draftOf } from '../support/test-events.ts';
import { randomOf, seeds } from './support/seeds.ts';
import { stopped, StreamWorkers } from './support/stream-workers.ts';

/** Two processes of one group take two events of a key at once. */
const twoProcesses = { unorderedGroups: ['stock'] };

interface Working {
  readonly eventId: string;
  readonly delivery: number;
}

// Most of the time goes by in waiting for claims to lapse, so all are tried at once.
describe.skipIf(!hasRedis() || !hasPostgres())(
  'a process that consumes from streams',
  { concurrent: true },
  () => {
    it('is followed by another one when it is killed in a handler', async () => {
      await using workers = await StreamWorkers.create({ claimMs: 1_000 });
      const hanging = { workMs: 600_000, maxInFlight: 1 };
      await using doomed = await workers.ready('doomed', hanging);
      await workers.place.fill(4);
      const { eventId } = await doomed.message<Working>('working');
      // It takes nothing from the other one while that is alive, however slow.
      await using heir = await workers.ready('heir', { claimMs: 3_000 });
      await doomed.kill('SIGKILL');

      const { what } = await heir.message<{ what: string }>('took-over');
      expect(what).toBe(`1 of ${workers.place.stream}, from doomed`);
      await workers.finished(4);

      const handled = await workers.ledger.entries();
      const again = handled.filter((entry) => entry.eventId === eventId);
      expect(again).toMatchObject([{ worker: 'heir', delivery: 2, attempt: 1 }]);
      const firsts = handled.filter((entry) => entry.eventId !== eventId);
      expect(firsts.map(({ delivery }) => delivery)).toEqual([1, 1, 1]);
      const { violations, duplicates } = await workers.verdict(4, twoProcesses);
      expect(violations).toEqual([]);
      expect([...duplicates]).toEqual([]);
      expect(await stopped(heir)).toEqual([]);
    });

    it('is followed soon, also by one that has always more to read', async () => {
      const common = { databaseUrl: undefined, claimMs: 700, maxInFlight: 3 };
      await using workers = await StreamWorkers.create(common);
      await using doomed = await workers.ready('doomed', { workMs: 600_000 });
      await workers.place.fill(3);
      await doomed.message('working');
      const events = 300;
      await workers.place.fill(events - 3, (number) => draftOf(number + 3));
      // It looks rarely, as it does where nobody has changed that.
      await using heir = await workers.ready('heir', { workMs: 20, reclaimEveryMs: 1_000 });
      await heir.message('working');
      await doomed.kill('SIGKILL');
      const before = (await workers.ledger.entries()).length;
      await heir.message('took-over');
      await workers.finished(events);

      // By the order of the work, since nobody knows when this process has heard of it.
      const order = (await workers.ledger.entries()).map(({ eventId }) => eventId);
      const since = order.indexOf('e1') - before;
      expect(since, 'much was left to read').toBeLessThan(events / 2);
      const expected = { ...twoProcesses, onceGroups: [] };
      expect((await workers.verdict(events, expected)).violations).toEqual([]);
      await stopped(heir);
    });

    it('does not have its effect repeated when it is killed before it could acknowledge', async () => {
      // Long claims are settled without a question; who takes over decides how long a silence is too long.
      await using workers = await StreamWorkers.create({ maxInFlight: 1 });
      await workers.place.fill(3);
      const plan = { point: 'SCRIPT (XACK)', moment: 'before' } as const;
      await using doomed = workers.start('doomed', { claimMs: 60_000, plan });
      await doomed.killed('SIGKILL');
      const [left] = await workers.place.pending('stock');
      expect(left).toMatchObject({ consumer: 'doomed', deliveries: 1 });
      expect(await workers.effects()).toEqual([left!.eventId]);

      await using heir = await workers.ready('heir', { claimMs: 300 });
      const skipped = await heir.message<{ eventId: string }>('duplicate-skipped');
      expect(skipped.eventId).toBe(left!.eventId);
      await workers.finished(3);

      const { violations, duplicates } = await workers.verdict(3);
      expect(violations).toEqual([]);
      expect([...duplicates]).toEqual([]);
      expect(await stopped(heir)).toEqual([]);
    });

    it('keeps the order of every key over processes that are killed one after the other', async () => {
      const common = { databaseUrl: undefined, claimMs: 500, maxInFlight: 6, concurrency: 2 };
      await using workers = await StreamWorkers.create({ ...common, workMs: 10 });
      const events = 60;
      await workers.place.fill(events);
      const kills = 3;
      for (let death = 1; death <= kills; death += 1) {
        // By itself, in the middle of its work: whoever watches may look too late.
        const deadly = [`e${8 * death}`];
        await using doomed = workers.start(`doomed-${death}`, { deadly });
        await doomed.killed('SIGKILL');
        expect((await workers.place.pending('stock')).length).toBeGreaterThan(0);
      }
      await using heir = await workers.ready('heir');
      await workers.finished(events);

      const maxDuplicates = kills * common.maxInFlight;
      const { violations } = await workers.verdict(events, { onceGroups: [], maxDuplicates });
      expect(violations).toEqual([]);
      await stopped(heir);
    });

    it.for(seeds(2))(
      'has each effect once in a fleet that is killed and frozen at random (seed %i)',
      async (seed) => {
        const random = randomOf(seed);
        const common = { claimMs: 700, timeoutMs: 1_500, maxRetries: 50, maxDeliveries: 1_000 };
        await using workers = await StreamWorkers.create({ ...common, workMs: 20, concurrency: 2 });
        const events = 150;
        const fleet = await Promise.all(['a', 'b', 'c'].map((name) => workers.ready(name)));
        const publishing = workers.place.fill(events, undefined, 30);
        const faults = 6;
        for (let fault = 0; fault < faults; fault += 1) {
          await sleep(300 + 400 * random());
          const [victim] = fleet.splice(Math.floor(random() * fleet.length), 1);
          if (random() < 0.6) {
            await victim!.kill('SIGKILL');
            fleet.push(await workers.ready(`heir-${fault}`));
          } else {
            victim!.signal('SIGSTOP');
            await sleep(800 + 800 * random());
            victim!.signal('SIGCONT');
            fleet.push(victim!);
          }
        }
        await publishing;
        await workers.finished(events);

        // Of each fault: what its victim had in hand, and what the others took over and lost again.
        const maxDuplicates = faults * 3 * 20;
        const { violations } = await workers.verdict(events, { ...twoProcesses, maxDuplicates });
        expect(violations).toEqual([]);
        await Promise.all(fleet.map((worker) => stopped(worker)));
      },
    );

    it('keeps what takes ten times as long as a claim', async () => {
      // Without an inbox, which would keep a second run from its effect.
      const common = { databaseUrl: undefined, claimMs: 1_000, workMs: 10_000, concurrency: 2 };
      await using workers = await StreamWorkers.create(common);
      await using first = await workers.ready('first');
      await workers.place.fill(2);
      for (let begun = 0; begun < 2; begun += 1) await first.message('working');
      // It would take what says nothing for as long as that, and not what is late on a busy machine.
      await using second = await workers.ready('second', { claimMs: 3_000 });
      await workers.finished(2);

      const runs = await workers.ledger.entries();
      expect(runs.map(({ eventId }) => eventId).toSorted()).toEqual(['e1', 'e2']);
      expect(runs.map(({ delivery }) => delivery)).toEqual([1, 1]);
      const expected = { ...twoProcesses, onceGroups: [], maxDuplicates: 0 };
      expect((await workers.verdict(2, expected)).violations).toEqual([]);
      await stopped(first);
      await stopped(second);
    });

    it('has lost what it held when it was frozen for too long, and has no effect any more', async () => {
      // The database ends a transaction of somebody who says nothing, and the heir waits for that. The freeze
      // comes within the work, and what is late on a busy machine is not taken back by who was frozen.
      const common = { claimMs: 1_000, timeoutMs: 5_000, maxRetries: 20 };
      await using workers = await StreamWorkers.create(common);
      const slow = { claimMs: 3_000, workMs: 4_000, stubborn: true };
      await using frozen = await workers.ready('frozen', slow);
      await workers.place.fill(1);
      await frozen.message('working');
      frozen.signal('SIGSTOP');
      await using heir = await workers.ready('heir', { workMs: 6_000, timeoutMs: 30_000 });
      await heir.message('took-over');
      const { delivery } = await heir.message<Working>('working');
      expect(delivery).toBe(2);

      frozen.signal('SIGCONT');
      expect(await frozen.message('stale-refused')).toMatchObject({ what: 'heartbeat' });
      expect(await workers.place.pending('stock')).toEqual([
        { eventId: 'e1', consumer: 'heir', deliveries: 2 },
      ]);
      await workers.finished(1);

      expect(await workers.effects()).toEqual(['e1']);
      const handled = (await workers.ledger.entries()).filter(({ worker }) => worker === 'heir');
      expect(handled).toHaveLength(1);
      const { violations } = await workers.verdict(1, { ...twoProcesses, maxDuplicates: 1 });
      expect(violations).toEqual([]);
      await stopped(frozen);
      await stopped(heir);
    });

    it('does not settle what another one has taken over while it was frozen', async () => {
      await using workers = await StreamWorkers.create({ databaseUrl: undefined, claimMs: 1_000 });
      const { place, ledger } = workers;
      // Nothing of it can run between the end of the handler and the settlement.
      await using frozen = await workers.ready('frozen', { claimMs: 3_000, busyMs: 5_000 });
      await place.fill(1);
      await frozen.message('working');
      await waitUntil('its work is done', async () => (await ledger.entries()).length === 1);
      frozen.signal('SIGSTOP');
      await using heir = await workers.ready('heir', { workMs: 600_000 });
      await heir.message('took-over');
      await heir.message('working');

      frozen.signal('SIGCONT');
      expect(await frozen.message('stale-refused')).toMatchObject({ what: 'settle' });
      expect(await place.pending('stock')).toEqual([
        { eventId: 'e1', consumer: 'heir', deliveries: 2 },
      ]);
      await stopped(frozen);
      await heir.kill();
      expect((await place.pending('stock')).map(({ consumer }) => consumer)).toEqual(['heir']);
    });
  },
);
