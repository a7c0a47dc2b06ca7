import assert from 'node:assert/strict';

import type { TestApi } from '../test-api.ts';
import { assertOnceEach } from './assert-messages.ts';
import { onBench, type TransportConformanceOptions } from './transport-bench.ts';

/** A consumer is never handed more than it asked for. */
export function describeFlow(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);

  describe('flow', () => {
    it(
      'never leaves more unsettled than maxInFlight',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, { group: b.group('bounded'), maxInFlight: 5 });
        const sent = b.messages(40, { keys: 40 });
        await transport.publish(sent);
        for (let settled = 0; settled < 40; settled += 1) {
          await probe.received(Math.min(settled + 5, 40));
          probe.settle(probe.unsettled[0]!);
        }
        assert.equal(probe.mostUnsettled, 5);
        assertOnceEach(probe.deliveries, sent);
      }),
    );

    it(
      'hands out one message at a time when asked to',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, { group: b.group('single'), maxInFlight: 1 });
        await transport.publish(b.messages(3, { keys: 3 }));
        await probe.received(1);
        await b.quiet();
        assert.equal(probe.deliveries.length, 1);
      }),
    );

    it(
      'hands out more at once when maxInFlight is raised while it runs',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, { group: b.group('raised'), maxInFlight: 2 });
        await transport.publish(b.messages(20, { keys: 20 }));
        await probe.received(2);
        probe.consumer.setMaxInFlight(8);
        await probe.received(8);
        await b.quiet();
        assert.equal(probe.mostUnsettled, 8);
      }),
    );

    it(
      'hands out less at once when maxInFlight is lowered while it runs',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, { group: b.group('lowered'), maxInFlight: 8 });
        await transport.publish(b.messages(20, { keys: 20 }));
        await probe.received(8);
        probe.consumer.setMaxInFlight(2);
        probe.settle(...probe.unsettled.slice(0, 6));
        await b.quiet();
        assert.equal(probe.deliveries.length, 8, 'two are unsettled, so nothing more is due');
        probe.mostUnsettled = 0;
        probe.settle(...probe.unsettled);
        await probe.received(10);
        await b.quiet();
        assert.equal(probe.mostUnsettled, 2);
      }),
    );

    it(
      'hands out nothing while it is paused, and goes on when it is resumed',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, { group: b.group('paused'), maxInFlight: 2 });
        const sent = b.messages(10, { keys: 10 });
        await transport.publish(sent.slice(0, 5));
        await probe.received(2);
        probe.consumer.pause();
        probe.settle(...probe.unsettled);
        await transport.publish(sent.slice(5));
        await b.quiet();
        assert.equal(probe.deliveries.length, 2);
        probe.consumer.resume();
        for (let count = 4; count <= 10; count += 2) {
          probe.settle(...(await probe.received(count)));
        }
        assertOnceEach(probe.deliveries, sent);
      }),
    );

    it(
      'keeps what was settled while it was paused',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('paused-and-closed');
        const first = await b.subscribe(transport, { group, maxInFlight: 2 });
        const sent = b.messages(4);
        await transport.publish(sent);
        await first.received(2);
        first.consumer.pause();
        first.settle(...first.unsettled);
        await first.close();
        const second = await b.subscribe(transport, { group, settle: 'at once' });
        await second.received(2);
        await b.quiet();
        assertOnceEach(second.deliveries, sent.slice(2));
      }),
    );
  });
}
