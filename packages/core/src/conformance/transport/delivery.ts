import type { Message } from '../../event/message.ts';
import type { Transport } from '../../transport/transport.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { assertKeyOrder, assertOnceEach } from './assert-messages.ts';
import { onBench, type TransportConformanceOptions } from './transport-bench.ts';

/** Without faults each message comes once, and in the order of its key. */
export function describeDeliveries(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const whenGroupOrder = itWhen(
    it,
    options.capabilities.keyOrder === 'group',
    'keeps the order of a key within one consumer only',
  );

  describe('deliveries', () => {
    it(
      'delivers 1,500 messages from ten publishers once each',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, { group: b.group('all'), settle: 'at once' });
        const sent = b.messages(1_500, { keys: 60 });
        await publishSideBySide(transport, sent, 10);
        assertOnceEach(await probe.received(sent.length), sent);
        await b.quiet();
        assertOnceEach(probe.deliveries, sent);
      }),
    );

    it(
      'gives each message to one of several consumers of a group',
      bench(async (b) => {
        const instances = [await b.open(), await b.open()];
        const group = b.group('shared');
        const probes = await Promise.all(
          [...instances, ...instances].map((transport) =>
            b.subscribe(transport, { group, settle: 'at once', maxInFlight: 10 }),
          ),
        );
        const sent = b.messages(400, { keys: 40 });
        await publishSideBySide(instances[0]!, sent, 4);
        const deliveries = () => probes.flatMap((probe) => probe.deliveries);
        await b.until(
          () => deliveries().length >= sent.length,
          () => `${sent.length} deliveries; ${deliveries().length} came`,
        );
        await b.quiet();
        assertOnceEach(deliveries(), sent);
      }),
    );

    it(
      'takes messages from several instances at once',
      bench(async (b) => {
        const instances = [await b.open(), await b.open(), await b.open()];
        const group = b.group('many');
        const probe = await b.subscribe(instances[0]!, { group, settle: 'at once' });
        const batches = instances.map(() => b.messages(100, { keys: 10 }));
        await Promise.all(
          instances.map((transport, index) => publishSideBySide(transport, batches[index]!, 2)),
        );
        assertOnceEach(await probe.received(300), batches.flat());
      }),
    );

    it(
      'keeps the order of every key within a consumer',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('ordered');
        const probe = await b.subscribe(transport, { group, maxInFlight: 30 });
        const sent = b.messages(400, { keys: 8 });
        for (const batch of batchesOf(sent, 16)) await transport.publish(batch);
        while (probe.deliveries.length < sent.length) {
          await b.until(
            () => probe.unsettled.length > 0,
            () => 'something to settle',
          );
          probe.settle(...probe.unsettled.toReversed());
        }
        assertKeyOrder(probe.deliveries, sent);
        assertOnceEach(probe.deliveries, sent);
      }),
    );

    whenGroupOrder(
      'keeps the order of every key over all consumers of a group, while one of them leaves',
      bench(async (b) => {
        const group = b.group('ordered-over-all');
        const instances = [await b.open(), await b.open(), await b.open()];
        const probes = await Promise.all(
          instances.map((transport) => b.subscribe(transport, { group, settle: 'at once' })),
        );
        const sent = b.messages(300, { keys: 12 });
        const batches = batchesOf(sent, 20);
        for (const [index, batch] of batches.entries()) {
          await instances[0]!.publish(batch);
          const busiest = probes.toSorted((x, y) => y.deliveries.length - x.deliveries.length)[0]!;
          if (index === batches.length / 3) await busiest.close();
        }
        await b.until(
          () => new Set(b.arrivals.map(({ message }) => message.id)).size === sent.length,
          () => `${sent.length} messages; ${b.arrivals.length} deliveries came`,
        );
        assertKeyOrder(b.arrivals, sent);
      }),
    );
  });
}

/** Several publishers at once, each with its share, ten messages a call. */
async function publishSideBySide(
  transport: Transport,
  messages: readonly Message[],
  publishers: number,
): Promise<void> {
  const shares = batchesOf(messages, Math.ceil(messages.length / publishers));
  await Promise.all(
    shares.map(async (share) => {
      for (const batch of batchesOf(share, 10)) await transport.publish(batch);
    }),
  );
}

function batchesOf(messages: readonly Message[], size: number): Message[][] {
  const count = Math.ceil(messages.length / size);
  return Array.from({ length: count }, (_, index) =>
    messages.slice(index * size, (index + 1) * size),
  );
}
