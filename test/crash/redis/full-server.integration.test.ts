import { setTimeout as sleep } from 'node:timers/promises';

import { Publisher } from '@waybill/core';
import type { Handler } from '@waybill/core';
import { describe, expect, it } from 'vitest';

import { hasPostgres } from '../../../scripts/services/test-database.ts';
import { canStartRedis, hasRedis } from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import { createCrashDatabase } from '../support/crash-database.ts';
import { draftIn, Load } from './support/load.ts';
import { ownServer } from './support/own-server.ts';
import type { StreamRig } from './support/stream-rig.ts';

const maxInFlight = 20;

describe.skipIf(!hasRedis() || !hasPostgres() || !(await canStartRedis()))(
  'an outbox whose Redis refuses writes for a while',
  { concurrent: true },
  () => {
    /** @param refuse Makes Redis refuse for about a second. */
    async function expectOrderAcross(
      refuse: (rig: StreamRig) => Promise<void>,
    ): Promise<readonly string[]> {
      await using own = await ownServer();
      await using database = await createCrashDatabase();
      const { rig } = own;
      await rig.group(rig.bus('stock'), 'stock', { maxInFlight }).start();
      const bus = rig.bus('dock', { timeoutMs: 600 });
      await waitUntil('the relay is connected', () =>
        bus.connect().then(
          () => true,
          () => false, // an answer may take longer on a busy machine
        ),
      );
      const publisher = new Publisher({
        serviceName: 'dock',
        bus,
        store: database.store,
        relayPollMs: 10,
        observer: (seen) => void rig.seen.push(seen),
      });
      await publisher.connect();
      const publishing = new Load(rig, publisher, { keys: 6, pauseMs: 5 });
      const times = 2;
      for (let time = 0; time < times; time += 1) {
        await sleep(300);
        await refuse(rig);
      }
      await sleep(300);
      await publishing.stop();
      await rig.handledBy('stock');
      await rig.settledBy('stock');

      expect(publishing.refusals, 'whoever publishes does not notice').toBe(0);
      const committed = await database.column('event_store', 'event_id');
      expect(new Set(committed)).toEqual(rig.ids('published'));
      // A chunk whose answer did not come is published again.
      const maxDuplicates = times * 500;
      const { violations, summary } = rig.verdict({ groups: ['stock'], committed, maxDuplicates });
      expect(violations, summary).toEqual([]);
      // What is handled already may be about to be forgotten still.
      await waitUntil('the outbox is empty', async () => {
        return (await database.column('outbox', 'event_id')).length === 0;
      });
      await publisher.shutdown();
      return rig.observed('relay-failed').map(({ error }) => String(error));
    }

    it('keeps every key in order while all writes are held up', async () => {
      const failures = await expectOrderAcross(async (rig) => {
        await rig.admin.call('CLIENT', 'PAUSE', 1_200, 'WRITE');
        await sleep(1_200);
      });
      expect(failures).toContainEqual(
        expect.stringMatching(/TRANSPORT_UNAVAILABLE.*no answer within 600 ms/),
      );
    });

    it('keeps every key in order while the memory is full', async () => {
      const failures = await expectOrderAcross(async (rig) => {
        const before = rig.observed('relay-failed').length;
        await rig.admin.config('SET', 'maxmemory', '1');
        await sleep(700);
        await waitUntil('it was refused', () => {
          const since = rig.observed('relay-failed').slice(before);
          return since.some(({ error }) => String(error).includes('OOM'));
        });
        await rig.admin.config('SET', 'maxmemory', '0');
      });
      expect(failures).toContainEqual(
        expect.stringMatching(/TRANSPORT_UNAVAILABLE.*OOM.*raise maxmemory/),
      );
    });
  },
);

describe.skipIf(!hasRedis() || !(await canStartRedis()))(
  'a Redis server whose memory is full',
  { concurrent: true },
  () => {
    it('refuses what is published, and is emptied by consumers that start only then', async () => {
      await using own = await ownServer({ 'maxmemory-policy': 'noeviction' });
      const { rig } = own;
      const groups = { stock: ['item.received'], audit: ['*'] };
      const consume = async (name: keyof typeof groups, handler: Handler) => {
        const group = rig.bus(name, { maxStreamLength: 10 }).consumers(name);
        group.on(groups[name], handler);
        await group.start();
        return group;
      };
      const hang: Handler = (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
      // The groups are known, and something is pending for each of them.
      const before = [await consume('stock', hang), await consume('audit', hang)];
      const publisher = rig.publisher(rig.bus('dock'));
      await publishLarge(rig, publisher, 1);
      await waitUntil('both have it in hand', async () => {
        const stock = (await rig.holders('stock')).size;
        return stock + (await rig.holders('audit')).size === 2;
      });
      for (const group of before) await group.stop({ deadlineMs: 0 });

      const used = /used_memory:(\d+)/.exec(await rig.admin.info('memory'))![1]!;
      await rig.admin.config('SET', 'maxmemory', String(Number(used) + 3_000_000));
      const refusal = await fillUp(rig, publisher);
      expect(refusal).toMatchObject({ code: 'TRANSPORT_UNAVAILABLE', retryable: true });
      expect(String(refusal)).toContain('raise maxmemory');

      for (const name of ['stock', 'audit'] as const) {
        await consume(name, async ({ id: eventId }, { key }) => {
          rig.entries.push({ kind: 'handled', eventId, group: name, key });
        });
      }
      await rig.handledBy('stock');
      await rig.handledBy('audit');
      await waitUntil('there is room again', async () => {
        return await publishLarge(rig, publisher, rig.entries.length).then(
          () => true,
          () => false,
        );
      });
      await rig.handledBy('stock');
      await rig.handledBy('audit');
      const { violations } = rig.verdict({ groups: ['stock', 'audit'], maxDuplicates: 0 });
      expect(violations).toEqual([]);
      expect(rig.observed('lost')).toEqual([]);
    });

    it('is named when it would throw streams away instead', async () => {
      await using own = await ownServer({ 'maxmemory-policy': 'allkeys-lru' });
      await own.rig.bus('dock').connect();
      expect(own.rig.warnings('BROKER_EVICTS')).toEqual([
        expect.stringContaining('CONFIG SET maxmemory-policy noeviction'),
      ]);
    });
  },
);

/** Publishes an event of 20,000 characters, and enters it in the ledger once it is accepted. */
async function publishLarge(rig: StreamRig, publisher: Publisher, number: number): Promise<void> {
  const draft = draftIn(`large-${number}`, 1);
  await publisher.publish({ ...draft, data: { ...draft.data, text: 'x'.repeat(20_000) } });
  rig.entries.push({ kind: 'published', eventId: draft.id });
}

/** Publishes until it is refused. @returns Why it was. */
async function fillUp(rig: StreamRig, publisher: Publisher): Promise<unknown> {
  for (let number = 2; number < 10_000; number += 1) {
    try {
      await publishLarge(rig, publisher, number);
    } catch (error) {
      return error;
    }
  }
  throw new Error('the server takes everything');
}
