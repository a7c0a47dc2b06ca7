import type { DeadLetterQueue, Handler } from '@waybill/core';
import { PostgresDeadLetterQueue } from '@waybill/postgres';
import { RedisDeadLetterQueue } from '@waybill/redis';
import type { LedgerEntry } from '@waybill/testing';
import { describe, expect, it } from 'vitest';

import { hasPostgres } from '../../../scripts/services/test-database.ts';
import { hasRedis, redisUrl } from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import { createCrashDatabase } from '../support/crash-database.ts';
import { draftOf, idsUpTo } from '../support/test-events.ts';
import { StreamRig } from './support/stream-rig.ts';

const count = 6;
const maxRetries = 2;

describe.skipIf(!hasRedis() || !hasPostgres())(
  'an event on a stream that one group cannot handle and another one can',
  { concurrent: true },
  () => {
    async function expectRetriesToReachOneGroup(
      rig: StreamRig,
      deadLetters: DeadLetterQueue,
    ): Promise<void> {
      const runs: string[] = [];
      let isShelfThere = false;
      const note =
        (group: string): Handler =>
        async ({ id }) => {
          runs.push(`${group} ${id}`);
          if (group === 'failing' && id === 'e2' && !isShelfThere) throw new Error('no shelf');
        };
      const runsOf = (group: string, id: string): number =>
        runs.filter((run) => run === `${group} ${id}`).length;
      for (const name of ['failing', 'working']) {
        const retry = { maxRetries, baseDelayMs: 10 };
        const choices = { deadLetters, retry, redrivePollMs: 20 };
        await rig.group(rig.bus(name), name, choices, note(name)).start();
      }
      const publisher = rig.publisher(rig.bus('dock'));
      for (let number = 1; number <= count; number += 1) {
        const draft = draftOf(number);
        await publisher.publish(draft);
        rig.entries.push({ kind: 'published', eventId: draft.id });
      }

      await waitUntil(
        'there is a dead letter',
        async () => (await deadLetters.list()).length === 1,
      );
      await rig.handledBy('working');
      await rig.settledBy('working');
      await rig.settledBy('failing');
      expect(runsOf('failing', 'e2')).toBe(1 + maxRetries);
      const [letter] = await deadLetters.list();
      expect(letter).toMatchObject({ group: 'failing', eventId: 'e2', status: 'pending' });
      const groups = ['working', 'failing'];
      const found: LedgerEntry = { kind: 'dead-lettered', group: 'failing', eventId: 'e2' };
      expect(rig.verdict({ groups, maxDuplicates: 0 }, [found]).violations).toEqual([]);

      isShelfThere = true;
      await deadLetters.redrive(letter!.id);
      await waitUntil('the dead letter is resolved', async () => {
        return (await deadLetters.get(letter!.id))?.status === 'resolved';
      });

      expect(runsOf('failing', 'e2')).toBe(2 + maxRetries);
      for (const id of idsUpTo(count)) expect(runsOf('working', id), id).toBe(1);
      // The redrive comes behind what was published later.
      const outOfOrder = { unorderedGroups: ['failing'], maxDuplicates: 0 };
      expect(rig.verdict({ groups, ...outOfOrder }).violations).toEqual([]);
      expect(await deadLetters.list()).toHaveLength(1);
      expect(await rig.admin.xlen(rig.stream), 'nothing was published again').toBe(count);
    }

    it('is tried again and redriven in that group alone, with dead letters on Redis', async () => {
      await using rig = new StreamRig(redisUrl());
      const { admin: redis, prefix: streamPrefix } = rig;
      await expectRetriesToReachOneGroup(rig, new RedisDeadLetterQueue({ redis, streamPrefix }));
    });

    it('is tried again and redriven in that group alone, with dead letters in PostgreSQL', async () => {
      await using database = await createCrashDatabase();
      await using rig = new StreamRig(redisUrl());
      await expectRetriesToReachOneGroup(
        rig,
        new PostgresDeadLetterQueue({ client: database.client }),
      );
    });
  },
);
