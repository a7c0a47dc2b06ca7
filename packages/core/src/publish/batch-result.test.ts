import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PublisherBench } from '../../test/publisher-bench.ts';
import { settle } from '../../test/until.ts';
import { EventError } from '../errors.ts';
import type { EventDraft } from './event-draft.ts';

let bench: PublisherBench;

beforeEach(() => {
  bench = new PublisherBench();
});

afterEach(() => bench.end());

const graded = { type: 'item.graded', data: { grade: 'A' } };
const away = new EventError('STORE_UNAVAILABLE', 'away', {});

describe('a batch', () => {
  it('is published in order', async () => {
    const publisher = bench.publisher();
    const drafts = [1, 2, 3].map((number) => ({ type: 'item.graded', data: { number } }));
    const events = await publisher.publishBatch(drafts);
    expect(events.map(({ data }) => data)).toEqual(drafts.map(({ data }) => data));
    expect((await bench.stored()).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    await expect(publisher.publishBatch([])).resolves.toEqual([]);
  });

  it.each([['with a store'], ['without a store']])(
    'says what became of each event when some are refused, and the others go: %s',
    async (which) => {
      const publisher = bench.publisher(which === 'with a store' ? {} : { store: undefined });
      const circle: unknown[] = [];
      circle.push(circle);
      const drafts: EventDraft[] = [graded, { type: 'item.graded', data: circle }, graded];
      const error: unknown = await publisher
        .publishBatch(drafts)
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'BATCH_INCOMPLETE',
        details: {
          outcomes: [
            { status: 'published', eventId: 'id-1' },
            { status: 'failed', index: 1, error: { code: 'PAYLOAD_NOT_JSON' } },
            { status: 'published', eventId: 'id-3' },
          ],
        },
      });
      await settle();
      expect((await bench.arrived()).map(({ id }) => id)).toEqual(['id-1', 'id-3']);
      expect(bench.seen.of('publish-failed').length).toBe(1);
    },
  );

  it('loses no neighbour of an event that the store refuses', async () => {
    const publisher = bench.publisher();
    await publisher.publish({ ...graded, id: 'taken' });
    const drafts = ['a', 'taken', 'b'].map((id) => ({ ...graded, id, data: { id } }));
    await expect(publisher.publishBatch(drafts)).rejects.toMatchObject({
      details: {
        outcomes: [
          { status: 'published', eventId: 'a' },
          { status: 'failed', index: 1, error: { code: 'EVENT_ID_CONFLICT' } },
          { status: 'published', eventId: 'b' },
        ],
      },
    });
    expect((await bench.stored()).map(({ id }) => id)).toEqual(['taken', 'a', 'b']);
  });

  it('fails with the very error that kept all of it back', async () => {
    bench.database.run = () => Promise.reject(away);
    await expect(bench.publisher().publishBatch([graded, graded])).rejects.toBe(away);
    expect(bench.seen.of('publish-failed').length).toBe(2);
  });

  it("is all or nothing in the caller's transaction", async () => {
    const publisher = bench.publisher();
    await publisher.publish({ ...graded, id: 'taken' });
    const drafts = ['a', 'taken'].map((id) => ({ ...graded, id, data: { id } }));
    const inside = bench.database.run((tx) => publisher.publishBatch(drafts, { tx }));
    await expect(inside).rejects.toThrow(/^EVENT_ID_CONFLICT/);
    expect((await bench.stored()).map(({ id }) => id)).toEqual(['taken']);
  });
});
