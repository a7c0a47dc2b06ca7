import assert from 'node:assert/strict';

import type { TestApi } from '../test-api.ts';
import { onBench, type TransportConformanceOptions } from './transport-bench.ts';

/** Who has given a message up, or lost it, has no say in it any more, and knows. */
export function describeOwnership(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);

  describe('ownership', () => {
    it(
      'ignores a settle that comes after the consumer has closed',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('too-late');
        const first = await b.subscribe(transport, { group });
        const sent = b.message();
        await transport.publish([sent]);
        const [delivery] = await first.received(1);
        await first.close();
        delivery!.settle();
        const second = await b.subscribe(transport, { group, settle: 'at once' });
        await second.received(1);
        assert.deepEqual(second.ids, [sent.id]);
      }),
    );

    it(
      'ignores a former owner who settles what the next one holds',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('former-owner');
        const first = await b.subscribe(transport, { group });
        const sent = b.message();
        await transport.publish([sent]);
        const [former] = await first.received(1);
        await first.close();
        const second = await b.subscribe(transport, { group });
        await second.received(1);
        former!.settle();
        await second.close();
        const third = await b.subscribe(transport, { group, settle: 'at once' });
        await third.received(1);
        assert.deepEqual(third.ids, [sent.id]);
      }),
    );

    it(
      'aborts the signal of what was unsettled at the close, and of nothing else',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, { group: b.group('signals') });
        await transport.publish(b.messages(2));
        const [settled, unsettled] = await probe.received(2);
        assert.equal(unsettled!.signal.aborted, false, 'not aborted while it is owned');
        probe.settle(settled!);
        await probe.close();
        assert.equal(unsettled!.signal.aborted, true, 'aborted when it was given up');
        assert.equal(settled!.signal.aborted, false, 'a settled one was not given up');
      }),
    );
  });
}
