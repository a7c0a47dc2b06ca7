import assert from 'node:assert/strict';

import { systemClock } from '../../clock.ts';
import { isEventError } from '../../errors.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { onDeliveries, quickRetry, type DeliveryConformanceOptions } from './delivery-bench.ts';

/** Every instance gets what is broadcast, and nobody keeps what fails of it. */
export function describeBroadcastDeliveries(
  options: DeliveryConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onDeliveries(options);

  describe('broadcast deliveries', () => {
    itWhen(
      it,
      options.capabilities.broadcast,
      'does not broadcast',
    )(
      'reach every instance, and a failure is reported and not kept',
      bench(async (b) => {
        for (const name of ['one', 'two']) {
          const instance = await b.group(null, { retry: quickRetry, clock: systemClock });
          const handler = b.handler(({ event }) => {
            if (event.data === 'bad') throw new Error('no');
          });
          instance.on(['order.*'], handler, { name });
          await instance.start();
        }
        const [bad, good] = [b.event('order-1', { data: 'bad' }), b.event()];
        await b.publish(bad, good);
        await b.observed('processed', 2);
        await b.observed('broadcast-failed', 2);
        for (const failure of b.seen('broadcast-failed')) assert.equal(failure.eventId, bad.id);
        const handled = b.seen('processed').map(({ handler, eventId }) => [handler, eventId]);
        assert.deepEqual(handled.sort(), [
          ['one', good.id],
          ['two', good.id],
        ]);
      }),
    );

    itWhen(
      it,
      !options.capabilities.broadcast,
      'broadcasts',
    )(
      'are refused by name before anything starts',
      bench(async (b) => {
        await assert.rejects(b.group(null), (error) => isEventError(error, 'CAPABILITY_MISSING'));
      }),
    );
  });
}
