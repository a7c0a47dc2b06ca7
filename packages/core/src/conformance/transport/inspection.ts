import assert from 'node:assert/strict';

import type { Transport } from '../../transport/transport.ts';
import type { TestApi } from '../test-api.ts';
import {
  onBench,
  type TransportBench,
  type TransportConformanceOptions,
} from './transport-bench.ts';

/** The numbers that people watch are true. */
export function describeInspection(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);

  describe('inspection', () => {
    it(
      'counts the messages of a stream',
      bench(async (b) => {
        const transport = await b.open();
        const length = async (): Promise<number> => {
          const { streams } = await transport.inspect();
          return streams.reduce((sum, stream) => sum + stream.length, 0);
        };
        const before = await length();
        await b.subscribe(transport, { group: b.group('watching') });
        await transport.publish(b.messages(7));
        assert.equal((await length()) - before, 7);
      }),
    );

    it(
      'counts what is handed out and not settled, and what is not handed out yet',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('counted');
        const probe = await b.subscribe(transport, { group, maxInFlight: 2 });
        await transport.publish(b.messages(5));
        await probe.received(2);
        await assertNumbers(b, transport, group, { pending: 2, lag: 3 });
        probe.consumer.setMaxInFlight(10);
        await probe.received(5);
        await assertNumbers(b, transport, group, { pending: 5, lag: 0 });
        probe.settle(...probe.unsettled);
        await assertNumbers(b, transport, group, { pending: 0, lag: 0 });
      }),
    );

    it(
      'counts what a group without a consumer has still to get',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('waiting');
        await (await b.subscribe(transport, { group })).close();
        await transport.publish(b.messages(6, { keys: 3 }));
        await assertNumbers(b, transport, group, { pending: 0, lag: 6 });
      }),
    );

    it(
      'says whether a group has a consumer',
      bench(async (b) => {
        const [watching, consuming] = [await b.open(), await b.open()];
        const group = b.group('manned');
        const probe = await b.subscribe(consuming, { group });
        await consuming.publish([b.message()]);
        const consumers = async (): Promise<number> =>
          (await b.inspectGroup(watching, group)).consumers;
        await b.until(
          async () => (await consumers()) > 0,
          () => 'a running consumer is counted',
        );
        await probe.close();
        await b.until(
          async () => (await consumers()) === 0,
          () => 'no consumer is left',
        );
      }),
    );
  });
}

/** Waits, because a transport may tell its broker about settled messages now and then only. */
async function assertNumbers(
  b: TransportBench,
  transport: Transport,
  group: string,
  expected: { pending: number; lag: number },
): Promise<void> {
  let seen = '';
  await b.until(
    async () => {
      const { pending, lag } = await b.inspectGroup(transport, group);
      seen = `pending ${pending}, lag ${lag}`;
      return pending === expected.pending && lag === expected.lag;
    },
    () => `pending ${expected.pending}, lag ${expected.lag}; it says ${seen}`,
  );
}
