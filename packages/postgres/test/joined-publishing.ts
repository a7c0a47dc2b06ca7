import { Publisher } from '@waybill/core';
import type { Observation } from '@waybill/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { PostgresEventBus } from '../src/bus/postgres-event-bus.ts';
import type { SqlClient } from '../src/client/sql-client.ts';
import { PostgresEventStore } from '../src/store/event-store.ts';
import type { ConformanceBench } from './conformance-bench.ts';

const waiting = { timeout: 20_000, interval: 20 };
const graded = { type: 'item.graded', data: { grade: 'A' }, subject: 'item-1' };

/**
 * How `database.run` and a publish in it hang together.
 *
 * @param other A database of its own.
 */
export function describeJoinedPublishing(bench: ConformanceBench, other?: ConformanceBench): void {
  describe('publishing in database.run', () => {
    let store: PostgresEventStore;
    let bus: PostgresEventBus;
    let publisher: Publisher;
    const seen: Observation[] = [];
    const observer = (observation: Observation): void => void seen.push(observation);

    beforeAll(async () => {
      await Promise.all([bench.open(), other?.open()]);
      store = await storeOn(bench.client);
      bus = new PostgresEventBus({ serviceName: 'tests', client: bench.client });
      publisher = new Publisher({ serviceName: 'tests', bus, store, observer });
      await publisher.connect();
    });
    beforeEach(async () => {
      seen.length = 0;
      await bench.client.query('TRUNCATE event_store, outbox');
    });
    afterAll(async () => {
      await publisher?.shutdown();
      await bus?.shutdown();
      await Promise.all([bench.close(), other?.close()]);
    });

    const idsStored = async (): Promise<string[]> => {
      const { rows } = await bench.client.query<{ id: string }>(
        'SELECT event_id AS id FROM event_store ORDER BY event_id',
      );
      return rows.map(({ id }) => id);
    };
    const failing = (work: () => Promise<unknown>) => async (): Promise<never> => {
      await work();
      throw new Error('rolled back on purpose');
    };

    it('commits and is relayed, or is rolled back, with the transaction', async () => {
      await expect(
        bench.client.run(failing(() => publisher.publish({ ...graded, id: 'undone' }))),
      ).rejects.toThrow('on purpose');
      await bench.client.run(async () => void publisher.publish({ ...graded, id: 'done' }));
      expect(await idsStored()).toEqual(['done']);
      await vi.waitFor(() => {
        expect(seen.filter(({ kind }) => kind === 'relayed')).toHaveLength(1);
      }, waiting);
      expect(await store.outbox.status()).toMatchObject({ waiting: 0 });
    });

    it('sees what it has written itself', async () => {
      await bench.client.run(async () => {
        await publisher.publish({ ...graded, id: 'own' });
        expect(await store.getCount()).toBe(1);
      });
    });

    it.skipIf(bench.dialect === 'pglite')('stays out of the transaction when told so', async () => {
      const work = failing(() => publisher.publish({ ...graded, id: 'apart' }, { tx: null }));
      await expect(bench.client.run(work)).rejects.toThrow('on purpose');
      expect(await idsStored()).toEqual(['apart']);
    });

    it.skipIf(bench.dialect === 'pglite')(
      'joins the innermost of several transactions',
      async () => {
        const outer = failing(async () => {
          await publisher.publish({ ...graded, id: 'outer' });
          await bench.client.run(() => publisher.publish({ ...graded, id: 'inner' }));
        });
        await expect(bench.client.run(outer)).rejects.toThrow('on purpose');
        expect(await idsStored()).toEqual(['inner']);
      },
    );

    it.skipIf(bench.dialect === 'pglite')('joins a client of its own database', async () => {
      const lent = bench.lend();
      const work = failing(() => publisher.publish({ ...graded, id: 'lent' }));
      await expect(lent.run(work)).rejects.toThrow('on purpose');
      await lent.run(() => publisher.publish({ ...graded, id: 'kept' }));
      bench.giveBack(lent);
      expect(await idsStored()).toEqual(['kept']);
      expect(seen.filter(({ kind }) => kind === 'warning')).toEqual([]);
    });

    it.skipIf(!other)('joins no other database, and warns of it', async () => {
      await storeOn(other!.client);
      const work = failing(() => publisher.publish({ ...graded, id: 'elsewhere' }));
      await expect(other!.client.run(work)).rejects.toThrow('on purpose');
      await other!.client.run(() => store.append(eventOf('appended')));
      expect(await idsStored()).toEqual(['appended', 'elsewhere']);
      expect(seen).toContainEqual(expect.objectContaining({ code: 'TX_ELSEWHERE' }));
      const { rows } = await other!.client.query('SELECT event_id FROM event_store');
      expect(rows).toEqual([]);
    });
  });
}

async function storeOn(client: SqlClient): Promise<PostgresEventStore> {
  const store = new PostgresEventStore({ client });
  await store.initialize();
  return store;
}

function eventOf(id: string) {
  return {
    id,
    source: 'tests',
    specversion: '1.0' as const,
    type: 'item.graded',
    datacontenttype: 'application/json',
    time: '2026-03-01T12:00:00.000Z',
    subject: 'item-1',
    version: 1,
    data: {},
  };
}
