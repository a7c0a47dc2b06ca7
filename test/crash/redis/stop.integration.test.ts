import type { WorkerProcess } from '@waybill/testing';
import { describe, expect, it } from 'vitest';

import { hasRedis } from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import { idsUpTo } from '../support/test-events.ts';
import { loneDraftOf } from './support/stream-place.ts';
import { stopped, StreamWorkers } from './support/stream-workers.ts';

const inFlight = 20;
const count = 2 * inFlight;
/** Without a database, whose connections would be the limit; what is handled counts. */
const alone = { databaseUrl: undefined, maxInFlight: inFlight };
const handledCounts = { onceGroups: [] };

interface Working {
  readonly eventId: string;
}

/** Waits until a worker has so many handlers running. @returns Ids of their events. */
async function atWork(worker: WorkerProcess, handlers: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < handlers) ids.push((await worker.message<Working>('working')).eventId);
  return ids.toSorted();
}

describe.skipIf(!hasRedis())(
  'a process that consumes from streams and is asked to stop with 20 events in flight',
  { concurrent: true },
  () => {
    it('begins nothing more, finishes those, and leaves the rest uncounted', async () => {
      await using workers = await StreamWorkers.create({ ...alone, concurrency: inFlight });
      await workers.place.fill(count, loneDraftOf);
      await using leaving = await workers.ready('leaving', { workMs: 5_000, deadlineMs: 25_000 });
      const begun = await atWork(leaving, inFlight);
      expect(await stopped(leaving)).toEqual([]);

      const done = await workers.ledger.entries();
      expect(done.map(({ eventId }) => eventId).toSorted()).toEqual(begun);
      expect(await workers.place.pending('stock')).toEqual([]);
      expect(await workers.place.consumers('stock')).toEqual([]);
      await using successor = await workers.ready('successor');
      await workers.finished(count);

      const handled = await workers.ledger.entries();
      expect(new Set(handled.map(({ delivery }) => delivery))).toEqual(new Set([1]));
      const { violations } = await workers.verdict(count, { ...handledCounts, maxDuplicates: 0 });
      expect(violations).toEqual([]);
      await stopped(successor);
    });

    it('names what it has not finished by the deadline, and another one gets all of it', async () => {
      await using workers = await StreamWorkers.create({ ...alone, concurrency: inFlight });
      await workers.place.fill(count, loneDraftOf);
      await using leaving = await workers.ready('leaving', { workMs: 600_000, deadlineMs: 300 });
      const begun = await atWork(leaving, inFlight);
      const unfinished = await stopped(leaving);

      expect(unfinished.toSorted()).toEqual(begun);
      expect(await workers.ledger.entries()).toEqual([]);
      const released = await workers.place.pending('stock');
      expect(released.map(({ eventId }) => eventId).toSorted()).toEqual(begun);
      for (const { consumer, deliveries } of released) {
        expect({ consumer, deliveries }).toEqual({ consumer: '(released)', deliveries: 1 });
      }
      await using successor = await workers.ready('successor');
      await workers.finished(count);

      const again = (await workers.ledger.entries()).filter(({ delivery }) => delivery === 2);
      expect(again.map(({ eventId }) => eventId).toSorted()).toEqual(begun);
      expect((await workers.verdict(count, handledCounts)).violations).toEqual([]);
      await waitUntil('only one is known', async () => {
        return (await workers.place.consumers('stock')).join() === 'successor';
      });
      await stopped(successor);
    });

    it('names those too whose turn had not come, and a stop does not make suspects of them', async () => {
      await using workers = await StreamWorkers.create({ ...alone, concurrency: 1 });
      await workers.place.fill(inFlight, loneDraftOf);
      const hasty = { workMs: 600_000, deadlineMs: 1 };
      for (const name of ['first', 'second', 'third']) {
        await using leaving = await workers.ready(name, hasty);
        await atWork(leaving, 1);
        expect(await stopped(leaving)).toContain('e1');
      }
      const released = await workers.place.pending('stock');
      expect(released.map(({ eventId }) => eventId)).toEqual(idsUpTo(inFlight));
      await using successor = await workers.ready('successor');
      await workers.finished(inFlight);

      expect((await workers.verdict(inFlight, handledCounts)).violations).toEqual([]);
      await stopped(successor);
    });
  },
);
