import assert from 'node:assert/strict';

import { isEventError } from '../../errors.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { onBench, type TransportConformanceOptions } from './transport-bench.ts';

/** What is claimed is there, and what is there is claimed. */
export function describeClaims(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const { capabilities } = options;
  const whenFencing = itWhen(it, capabilities.fencing, 'offers no fence');

  describe('claims', () => {
    it(
      'declares the capabilities that it is tested for',
      bench(async (b) => {
        const { capabilities: declared, name } = await b.openUnconnected();
        assert.deepEqual({ ...declared }, { ...capabilities });
        assert.notEqual(name, '', 'its name is empty');
      }),
    );

    it(
      'fills in a delivery count and a fence exactly if it claims them',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, { group: b.group('claims') });
        await transport.publish([b.message()]);
        const [delivery] = await probe.received(1);
        const { deliveryCounts, fencing } = capabilities;
        const { deliveryCount, mayBeRepeated, fence } = delivery!;
        assert.equal(
          deliveryCount,
          deliveryCounts ? 1 : undefined,
          `deliveryCount is ${deliveryCount}, where deliveryCounts is ${deliveryCounts}`,
        );
        assert.equal(typeof mayBeRepeated, 'boolean', 'mayBeRepeated is always said');
        assert.equal(
          typeof fence === 'function',
          fencing,
          `fence is ${typeof fence}, where fencing is ${fencing}`,
        );
      }),
    );

    whenFencing(
      'lets the fence pass for the owner and refuses it for a former one',
      bench(async (b) => {
        const { transactions } = b.subject;
        assert.ok(transactions, 'create() must offer transactions where fencing is claimed');
        const group = b.group('fenced');
        const [leaving, staying] = [await b.open(), await b.open()];
        const first = await b.subscribe(leaving, { group });
        await leaving.publish([b.message()]);
        const [former] = await first.received(1);
        await transactions.run((tx) => former!.fence!(tx));
        await first.close();
        const second = await b.subscribe(staying, { group });
        const [current] = await second.received(1);
        await assert.rejects(
          transactions.run((tx) => former!.fence!(tx)),
          (error) => isEventError(error, 'CLAIM_LOST'),
        );
        await transactions.run((tx) => current!.fence!(tx));
      }),
    );
  });
}
