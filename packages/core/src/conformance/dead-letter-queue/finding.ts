import assert from 'node:assert/strict';

import { maxDeadLetterKeys, type DeadLetterSink } from '../../consume/dead-letter-sink.ts';
import type { NewDeadLetter } from '../../consume/dead-letter.ts';
import { onStore, type StoreBench, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';
import { failureOf, findOne, keyOf, place, unreadable } from './failures.ts';

/** What was recorded is found again by exactly what it is known by, many at once. */
export function describeFinding(
  options: StoreConformanceOptions<DeadLetterSink>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);

  describe('finding', () => {
    it(
      'finds a failure by its handling, and by nothing less',
      bench(async (b) => {
        const event = b.event();
        const id = await b.store.add(failureOf(event));
        const key = { group: 'billing', handler: 'book', source: event.source, eventId: event.id };
        assert.equal((await findOne(b.store, key))?.id, id);
        assert.equal(await findOne(b.store, { ...key, group: 'shipping' }), null);
        assert.equal(await findOne(b.store, { ...key, handler: 'ship' }), null);
        assert.equal(await findOne(b.store, { ...key, source: 'shop' }), null);
        assert.equal(await findOne(b.store, { ...key, eventId: 'other' }), null);
      }),
    );

    it(
      'finds an unreadable message by its place, and by nothing less',
      bench(async (b) => {
        const id = await b.store.add(unreadable());
        const key = { group: 'billing', coordinates: place('1') };
        assert.equal((await findOne(b.store, key))?.id, id);
        assert.equal(await findOne(b.store, { ...key, group: 'shipping' }), null);
        for (const other of [
          { position: '2' },
          { partition: 9 },
          { partition: undefined },
          { stream: 'invoices' },
          { transport: 'other' },
        ]) {
          const coordinates = { ...place('1'), ...other };
          assert.equal(await findOne(b.store, { ...key, coordinates }), null);
        }
      }),
    );

    it(
      'answers each of many keys in the order given, whatever they are found by',
      bench(async (b) => {
        const coordinates = { transport: 'memory', stream: 'memory', position: '17' };
        const [book, ship] = [failureOf(b.event()), failureOf(b.event(), { handler: 'ship' })];
        const [broken, elsewhere] = [unreadable(), unreadable({ coordinates })];
        const ids = await addAll(b, [book, ship, broken, elsewhere]);
        const [bookId, shipId, brokenId, elsewhereId] = ids;
        const [never, nowhere] = [failureOf(b.event()), unreadable({ coordinates: place('2') })];
        const asked = [elsewhere, never, book, ship, nowhere, broken, book];
        const found = await b.store.find(asked.map(keyOf));
        assert.deepEqual(
          found.map((each) => each && each.id),
          [elsewhereId, null, bookId, shipId, null, brokenId, bookId],
        );
      }),
    );

    it(
      'finds nothing where nothing is asked for',
      bench(async (b) => {
        await b.store.add(failureOf(b.event()));
        assert.deepEqual(await b.store.find([]), []);
      }),
    );

    it(
      `takes ${maxDeadLetterKeys} keys at once, and refuses more`,
      bench(async (b) => {
        const failures = Array.from({ length: maxDeadLetterKeys }, (_, index) =>
          index % 2 === 0 ? failureOf(b.event()) : unreadable({ coordinates: place(`${index}`) }),
        );
        const ids = await addAll(b, failures);
        const keys = failures.map(keyOf);
        const found = await b.store.find(keys);
        assert.deepEqual(
          found.map((each) => each?.id),
          ids,
        );
        await assert.rejects(async () => await b.store.find([...keys, keys[0]!]), TypeError);
      }),
    );
  });
}

async function addAll(
  b: StoreBench<DeadLetterSink>,
  failures: readonly NewDeadLetter[],
): Promise<string[]> {
  const ids: string[] = [];
  for (const failure of failures) ids.push(await b.store.add(failure));
  return ids;
}
