import assert from 'node:assert/strict';

import { isEventError } from '../../errors.ts';
import type { EventStore, StoredEvent } from '../../publish/event-store.ts';
import { onStore, type StoreBench, type StoreConformanceOptions } from '../store/store-bench.ts';
import { itWhen, type TestApi } from '../test-api.ts';

/** A reader with a cursor meets every event, in the order of positions, whoever appends meanwhile. */
export function describeCursors(
  options: StoreConformanceOptions<EventStore>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);
  const { concurrentTransactions } = options.capabilities;
  const whenSeveral = itWhen(it, concurrentTransactions, 'has one transaction at a time');

  describe('cursors', () => {
    it(
      'reads everything from the beginning, page by page',
      bench(async (b) => {
        const events = Array.from({ length: 25 }, (_, index) => b.event({ data: { index } }));
        const positions = await b.store.appendBatch(events);
        const reader = new Reader(b.store);
        await reader.readUntil(b, 25, { limit: 10 });
        assert.deepEqual(
          reader.seen.map(({ event }) => event),
          events,
        );
        assert.deepEqual(
          reader.seen.map(({ position }) => position),
          positions,
        );
      }),
    );

    it(
      'answers the same cursor when nothing is new, and goes on from it later',
      bench(async (b) => {
        await b.store.append(b.event());
        const reader = new Reader(b.store);
        await reader.readUntil(b, 1);
        const idle = await b.store.readFrom(reader.cursor);
        assert.deepEqual(idle, { events: [], cursor: reader.cursor });
        const next = b.event();
        await b.store.append(next);
        await reader.readUntil(b, 2);
        assert.deepEqual(reader.seen[1]!.event, next);
      }),
    );

    it(
      'answers a cursor for an empty store, from which later events are read',
      bench(async (b) => {
        const { events, cursor } = await b.store.readFrom(null);
        assert.deepEqual(events, []);
        assert.equal(typeof cursor, 'string');
        const event = b.event();
        await b.store.append(event);
        const reader = new Reader(b.store, cursor);
        await reader.readUntil(b, 1);
        assert.deepEqual(reader.seen[0]!.event, event);
      }),
    );

    it(
      'skips nothing and keeps order while many append',
      bench(async (b) => {
        const reader = new Reader(b.store);
        const appended: bigint[] = [];
        const appending = Array.from({ length: 8 }, async (_, appender) => {
          for (let number = 0; number < 20; number += 1) {
            const subject = `order-${(appender + number) % 5}`;
            const event = b.event({ subject });
            const batch = number % 4 === 0 ? [event, b.event({ subject })] : [event];
            appended.push(...(await b.store.appendBatch(batch)));
          }
        });
        const reading = reader.readUntil(b, 200, { limit: 7 });
        await Promise.all(appending);
        await reading;
        const expected = appended.toSorted((x, y) => (x < y ? -1 : 1));
        assert.deepEqual(
          reader.seen.map(({ position }) => position),
          expected,
        );
      }),
    );

    whenSeveral(
      'skips nothing that was appended before, and committed after, what it has read',
      bench(async (b) => {
        const reader = new Reader(b.store);
        const [slow, quick] = [b.event({ subject: 'slow' }), b.event({ subject: 'quick' })];
        await b.transactions.run(async (tx) => {
          await b.store.append(slow, { tx });
          await b.store.append(quick, { tx: null });
          await reader.read();
        });
        await reader.readUntil(b, 2);
        const ids = reader.seen.map(({ event }) => event.id);
        assert.deepEqual(ids.toSorted(), [slow.id, quick.id].toSorted());
        assertAscending(reader.seen);
      }),
    );

    whenSeveral(
      'skips nothing over transactions that commit, wait and roll back side by side',
      bench(async (b) => {
        const reader = new Reader(b.store);
        const kept: string[] = [];
        const writers = Array.from({ length: 6 }, async (_, writer) => {
          for (let number = 0; number < 8; number += 1) {
            const event = b.event({ subject: `order-${writer}` });
            if ((writer + number) % 4 === 0) {
              await b.rolledBack((tx) => b.store.append(event, { tx }));
              continue;
            }
            await b.transactions.run(async (tx) => {
              await b.store.append(event, { tx });
              if (number % 3 === 0) await b.passTime(5);
            });
            kept.push(event.id);
          }
        });
        const reading = reader.readUntil(b, 36, { limit: 5 });
        await Promise.all(writers);
        await reading;
        const ids = reader.seen.map(({ event }) => event.id);
        assert.deepEqual(ids.toSorted(), kept.toSorted());
        assertAscending(reader.seen);
      }),
    );

    it(
      'refuses a cursor of another store, and what is no cursor',
      bench(async (b) => {
        const isForeign = (error: unknown): boolean => isEventError(error, 'CURSOR_FOREIGN');
        await b.store.appendBatch([b.event(), b.event()]);
        const reader = new Reader(b.store);
        await reader.readUntil(b, 2);
        const other = await b.another();
        await assert.rejects(other.readFrom(reader.cursor), isForeign, 'its event is missing');
        await other.appendBatch([b.event(), b.event(), b.event()]);
        await assert.rejects(other.readFrom(reader.cursor), isForeign, 'its event is another one');
        for (const nonsense of ['', '17', 'not a cursor', '"; drop table event_store; --']) {
          await assert.rejects(b.store.readFrom(nonsense), isForeign, `cursor ${nonsense}`);
        }
      }),
    );
  });
}

/** Reads on and on, and remembers what it has seen. */
class Reader {
  readonly seen: StoredEvent[] = [];
  cursor: string | null;
  readonly #store: EventStore;

  constructor(store: EventStore, cursor: string | null = null) {
    this.#store = store;
    this.cursor = cursor;
  }

  async read(options?: { limit?: number }): Promise<void> {
    const page = await this.#store.readFrom(this.cursor, options);
    assert.ok(
      page.events.length <= (options?.limit ?? 1_000),
      'a page is not longer than its limit',
    );
    this.seen.push(...page.events);
    this.cursor = page.cursor;
  }

  async readUntil(
    b: StoreBench<EventStore>,
    count: number,
    options?: { limit?: number },
  ): Promise<void> {
    await b.until(
      async () => {
        await this.read(options);
        return this.seen.length >= count;
      },
      () => `${count} events to read; ${this.seen.length} came`,
    );
  }
}

function assertAscending(events: readonly StoredEvent[]): void {
  for (const [index, { position }] of events.entries()) {
    if (index > 0) assert.ok(position > events[index - 1]!.position, 'positions ascend');
  }
}
