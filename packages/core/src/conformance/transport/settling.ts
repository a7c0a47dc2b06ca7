import assert from 'node:assert/strict';

import { itWhen, type TestApi } from '../test-api.ts';
import { assertKeyOrder, assertOnceEach } from './assert-messages.ts';
import { onBench, type TransportConformanceOptions } from './transport-bench.ts';

/** Only a settled message is finished; everything else comes back to the group. */
export function describeSettling(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const { shape, deliveryCounts } = options.capabilities;
  const whenPendingList = itWhen(it, shape === 'pending-list', 'a log settles up to an offset');
  const whenCounting = itWhen(it, deliveryCounts, 'counts no deliveries');

  describe('settling', () => {
    it(
      'hands what a closed consumer left unsettled to the next one',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('left');
        const first = await b.subscribe(transport, { group });
        const sent = b.messages(10, { keys: 3 });
        await transport.publish(sent);
        await first.received(10);
        await first.close();
        const second = await b.subscribe(transport, { group, settle: 'at once' });
        assertOnceEach(await second.received(10), sent);
        assertKeyOrder(second.deliveries, sent);
      }),
    );

    it(
      'hands what a closed instance left unsettled to another one',
      bench(async (b) => {
        const [leaving, staying] = [await b.open(), await b.open()];
        const group = b.group('left-by-instance');
        const first = await b.subscribe(leaving, { group });
        const sent = b.messages(10, { keys: 3 });
        await staying.publish(sent);
        await first.received(10);
        const second = await b.subscribe(staying, { group, settle: 'at once' });
        await leaving.close();
        assertOnceEach(await second.received(10), sent);
      }),
    );

    it(
      'brings every message through, although one consumer after the other leaves them',
      bench(async (b) => {
        const group = b.group('left-often');
        const transport = await b.open();
        const sent = b.messages(60, { keys: 6 });
        for (let round = 0; round < 3; round += 1) {
          const probe = await b.subscribe(transport, { group });
          if (round === 0) await transport.publish(sent);
          // What came back more than once may come one by one, to find out which one is to blame.
          await probe.received(1);
          await probe.close();
        }
        const last = await b.subscribe(transport, { group, settle: 'at once' });
        await last.received(60);
        assertOnceEach(last.deliveries, sent);
        assertKeyOrder(last.deliveries, sent);
      }),
    );

    it(
      'never hands out again what was settled before the consumer closed',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('settled');
        const first = await b.subscribe(transport, { group, settle: 'at once' });
        const sent = b.messages(200, { keys: 20 });
        await transport.publish(sent);
        await first.received(sent.length);
        await first.close();
        const second = await b.subscribe(await b.open(), { group, settle: 'at once' });
        const after = b.message();
        await transport.publish([after]);
        await second.received(1);
        await b.quiet();
        assert.deepEqual(second.ids, [after.id]);
      }),
    );

    it(
      'settles one message alone, not those before it',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('alone');
        const first = await b.subscribe(transport, { group });
        const [one, two, three] = b.messages(3);
        await transport.publish([one!, two!, three!]);
        const deliveries = await first.received(3);
        first.settle(deliveries[1]!, deliveries[2]!);
        await first.close();
        const second = await b.subscribe(transport, { group, settle: 'at once' });
        await second.received(1);
        assert.equal(second.ids[0], one!.id);
      }),
    );

    whenPendingList(
      'does not hand out again what was settled behind an unsettled message',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('behind');
        const first = await b.subscribe(transport, { group });
        const sent = b.messages(4);
        await transport.publish(sent);
        const deliveries = await first.received(4);
        first.settle(deliveries[1]!, deliveries[3]!);
        await first.close();
        const second = await b.subscribe(transport, { group, settle: 'at once' });
        await second.received(2);
        await b.quiet();
        assert.deepEqual(second.ids, [sent[0]!.id, sent[2]!.id]);
      }),
    );

    it(
      'gives a message back before the later ones of its key',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('before-later');
        const first = await b.subscribe(transport, { group, maxInFlight: 3 });
        const sent = b.messages(12, { keys: 2 });
        await transport.publish(sent.slice(0, 6));
        const held = await first.received(3);
        first.settle(held[1]!);
        await first.received(4);
        await first.close();
        await transport.publish(sent.slice(6));
        const second = await b.subscribe(transport, { group, settle: 'at once' });
        const missing = () =>
          sent.filter(({ id }) => id !== held[1]!.message.id && !second.ids.includes(id));
        await b.until(
          () => missing().length === 0,
          () => `${missing().length} messages to come back`,
        );
        assertKeyOrder(second.deliveries, sent);
      }),
    );

    it(
      'does nothing when a message is settled a second time',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('twice');
        const first = await b.subscribe(transport, { group, maxInFlight: 1 });
        const sent = b.messages(2);
        await transport.publish(sent);
        const [delivery] = await first.received(1);
        delivery!.settle();
        delivery!.settle();
        await first.received(2);
        delivery!.settle();
        await first.close();
        const second = await b.subscribe(transport, { group, settle: 'at once' });
        await second.received(1);
        assert.deepEqual(second.ids, [sent[1]!.id]);
      }),
    );

    whenCounting(
      'counts how often a message was handed out',
      bench(async (b) => {
        const group = b.group('counted');
        const sent = b.message();
        const opening = await b.open();
        const counts: (number | undefined)[] = [];
        for (let round = 1; round <= 4; round += 1) {
          const transport = round === 1 ? opening : await b.open();
          const probe = await b.subscribe(transport, { group });
          if (round === 1) await transport.publish([sent]);
          const [delivery] = await probe.received(1);
          counts.push(delivery!.deliveryCount);
          await transport.close();
        }
        assert.deepEqual(counts, [1, 2, 3, 4]);
      }),
    );

    whenCounting(
      'counts 1 for what nobody was handed before, also after a repeat',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('counted-anew');
        const first = await b.subscribe(transport, { group });
        const [repeated, fresh] = b.messages(2);
        await transport.publish([repeated!]);
        await first.received(1);
        await first.close();
        await transport.publish([fresh!]);
        const second = await b.subscribe(transport, { group, settle: 'at once' });
        const deliveries = await second.received(2);
        assert.deepEqual(
          deliveries.map(({ message, deliveryCount }) => [message.id, deliveryCount]),
          [
            [repeated!.id, 2],
            [fresh!.id, 1],
          ],
        );
      }),
    );
  });
}
