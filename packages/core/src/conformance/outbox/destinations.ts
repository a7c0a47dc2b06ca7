import assert from 'node:assert/strict';

import { EventError } from '../../errors.ts';
import type { Outbox } from '../../publish/outbox.ts';
import { onStore, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';
import { acceptAll, drainAll, ofOrder1, to } from './outbox-cases.ts';

const refusal = new EventError('TRANSPORT_UNAVAILABLE', 'not taken', { transport: 'test' });
const elsewhere = { destination: 'invoices' } as const;

/** Each message goes where it was sent to, and nowhere else. */
export function describeDestinations(
  options: StoreConformanceOptions<Outbox>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);

  describe('destinations', () => {
    it(
      'drains what is for one destination, and leaves the rest in its order',
      bench(async (b) => {
        const own = [b.message(), b.message()];
        const others = [b.message(), b.message()];
        for (const index of [0, 1]) {
          await b.store.add([own[index]!], to);
          await b.store.add([others[index]!], elsewhere);
        }
        const published = await drainAll(b);
        assert.deepEqual(
          published.map(({ id }) => id),
          own.map(({ id }) => id),
        );
        assert.deepEqual(await b.store.waitingPartitions(to.destination), []);
        assert.deepEqual(await b.store.waitingPartitions(elsewhere.destination), [
          ofOrder1.partition,
        ]);
        const rest = await drainAll(b, elsewhere);
        assert.deepEqual(
          rest.map(({ id }) => id),
          others.map(({ id }) => id),
        );
      }),
    );

    it(
      'says what waits for each destination, and when a relay last worked for it',
      bench(async (b) => {
        await b.store.add([b.message(), b.message()], to);
        await b.store.add([b.message()], elsewhere);
        await b.store.checkIn(to.destination);
        const { destinations } = await b.store.status();
        assert.deepEqual(
          destinations.map(({ destination, waiting }) => [destination, waiting]),
          [
            [elsewhere.destination, 1],
            [to.destination, 2],
          ],
        );
        assert.equal(destinations[0]!.relayedAgoMs, null, 'nobody relays to the one');
        const { relayedAgoMs } = destinations[1]!;
        assert.ok(relayedAgoMs !== null && relayedAgoMs >= 0, 'a relay works for the other');
      }),
    );

    it(
      'holds a key back for the destination that does not take it, and for no other',
      bench(async (b) => {
        await b.store.add([b.message()], to);
        await b.store.drain(ofOrder1, async (batch) => {
          const outcomes = await acceptAll(batch);
          return outcomes.map(() => ({ status: 'refused', error: refusal }) as const);
        });
        await b.store.add([b.message()], elsewhere);
        assert.equal((await drainAll(b, elsewhere)).length, 1);
        assert.equal((await drainAll(b)).length, 0);
        assert.deepEqual((await b.store.checkIn(elsewhere.destination)).refused, []);
      }),
    );

    it(
      'keeps the first mark of each destination, and tells relays',
      bench(async (b) => {
        assert.equal((await b.store.checkIn(to.destination)).marker, null);
        assert.equal(await b.store.keepMarker(to.destination, 'server-1'), 'server-1');
        assert.equal(await b.store.keepMarker(to.destination, 'server-2'), 'server-1');
        assert.equal((await b.store.checkIn(to.destination)).marker, 'server-1');
        assert.equal(await b.store.keepMarker(elsewhere.destination, 'server-3'), 'server-3');
        assert.equal((await b.store.checkIn(to.destination)).marker, 'server-1');
      }),
    );
  });
}
