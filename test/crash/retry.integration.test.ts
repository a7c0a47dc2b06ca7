import type { ConsumerGroup, Observation } from '@waybill/core';
import { ManualClock } from '@waybill/core/memory';
import { PostgresEventBus } from '@waybill/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import { waitUntil } from '../../scripts/wait-until.ts';
import { createCrashDatabase, type CrashDatabase } from './support/crash-database.ts';
import { fillLog } from './support/fill-log.ts';

const retry = { maxRetries: 3, baseDelayMs: 1_000, backoffMultiplier: 2, jitterFactor: 0.2 };

describe.skipIf(!hasPostgres())(
  'an event whose handler fails three times and then succeeds',
  () => {
    let database: CrashDatabase;
    let clock: ManualClock;
    let bus: PostgresEventBus;
    let group: ConsumerGroup;
    let attempts: { id: string; attempt: number }[];
    let delays: (number | null)[];
    beforeEach(async () => {
      database = await createCrashDatabase();
      clock = new ManualClock();
      attempts = [];
      delays = [];
      bus = new PostgresEventBus({ serviceName: 'stock', client: database.client });
      group = bus.consumers('stock', { clock, retry, redrivePollMs: 3_600_000, observer: note });
      group.on(
        ['item.received'],
        async (event, { tx, attempt }) => {
          const runner = tx as typeof database.client;
          await runner.query('INSERT INTO movements (event_id) VALUES ($1)', [event.id]);
          attempts.push({ id: event.id, attempt: attempt.number });
          if (event.id === 'e1' && attempt.number <= 3) throw new Error('the shelf is locked');
        },
        { name: 'move', inbox: true },
      );
    });
    afterEach(async () => {
      await bus?.shutdown();
      await database?.drop();
    });

    function note(seen: Observation): void {
      if (seen.kind === 'attempt-failed') delays.push(seen.willRetryInMs);
    }

    const attemptsAt = (id: string) => attempts.filter((each) => each.id === id);

    /** Lets the time pass that the handler has to wait before its next attempt. */
    async function passDelay(failures: number): Promise<void> {
      await waitUntil('the attempt has failed', () => delays.length === failures);
      expect(attemptsAt('e1')).toHaveLength(failures);
      await clock.advance(delays.at(-1)!);
    }

    it('holds up its own key and no other, and ends with one effect', async () => {
      await fillLog(database, 20);
      await group.start();

      // Time stands still for the group: the first key waits, and the other one goes on.
      await waitUntil('the other key is handled', () => attemptsAt('e20').length === 1);
      expect(attempts.filter(({ id }) => Number(id.slice(1)) % 2 === 1)).toEqual([
        { id: 'e1', attempt: 1 },
      ]);
      for (const failures of [1, 2, 3]) await passDelay(failures);
      await waitUntil('the first key is handled', () => attemptsAt('e19').length === 1);

      const first = attempts.filter(({ id }) => Number(id.slice(1)) % 2 === 1);
      expect(first.map(({ id, attempt }) => `${id} ${attempt}`)).toEqual([
        'e1 1',
        'e1 2',
        'e1 3',
        'e1 4',
        ...['e3', 'e5', 'e7', 'e9', 'e11', 'e13', 'e15', 'e17', 'e19'].map((id) => `${id} 1`),
      ]);
      expect(await database.column('movements', 'count(*)::text')).toEqual(['20']);
      expect(await database.column('event_dlq', 'count(*)::text')).toEqual(['0']);
    });

    it('waits longer each time, and not always the same', async () => {
      await fillLog(database, 1);
      await group.start();
      for (const failures of [1, 2, 3]) await passDelay(failures);
      await waitUntil('it has succeeded', () => attemptsAt('e1').length === 4);

      const expected = [1_000, 2_000, 4_000];
      for (const [index, delay] of delays.entries()) {
        expect(Math.abs(delay! - expected[index]!)).toBeLessThanOrEqual(expected[index]! * 0.2);
      }
      expect(delays.some((delay, index) => delay !== expected[index])).toBe(true);
    });
  },
);
