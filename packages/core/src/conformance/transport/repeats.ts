import assert from 'node:assert/strict';

import type { Delivery } from '../../transport/transport.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import {
  onBench,
  type TransportBench,
  type TransportConformanceOptions,
} from './transport-bench.ts';

/** What may have been handed out before says so, and what cannot have been does not. */
export function describeRepeats(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const whenLosing = itWhen(it, options.losesSettlements ?? false, 'cannot be made to lose any');
  const whenBroadcast = itWhen(it, options.capabilities.broadcast, 'does not broadcast');

  describe('repeats', () => {
    it(
      'takes no message for a repeated one once an undisturbed group has caught up',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('undisturbed');
        const probe = await b.subscribe(transport, { group, settle: 'at once' });
        // Whoever has just begun may be unsure about what was there before. What comes later is new.
        await transport.publish([b.message()]);
        await probe.received(1);
        await untilCaughtUp(b, group);
        await transport.publish(b.messages(20, { keys: 5 }));
        const deliveries = await probe.received(21);
        assertRepeated(deliveries.slice(1), false);
      }),
    );

    it(
      'says of what a consumer has left that it may be repeated',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('left-and-repeated');
        const first = await b.subscribe(transport, { group });
        await transport.publish(b.messages(6, { keys: 3 }));
        await first.received(6);
        await first.close();
        const second = await b.subscribe(transport, { group, settle: 'at once' });
        assertRepeated(await second.received(6), true);
      }),
    );

    it(
      'says of what another instance takes over that it may be repeated',
      bench(async (b) => {
        const [leaving, staying] = [await b.open(), await b.open()];
        const group = b.group('taken-over');
        const first = await b.subscribe(leaving, { group });
        await staying.publish(b.messages(6, { keys: 3 }));
        await first.received(6);
        await leaving.close();
        const second = await b.subscribe(staying, { group, settle: 'at once' });
        assertRepeated(await second.received(6), true);
      }),
    );

    it(
      'says so however often everything was left, and whatever was handed out in between',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('left-often-and-repeated');
        for (let round = 0; round < 4; round += 1) {
          const probe = await b.subscribe(transport, { group });
          if (round === 0) await transport.publish(b.messages(8, { keys: 2 }));
          // All of them the first time. Later, what is suspected to kill its consumers may come alone.
          await probe.received(round === 0 ? 8 : 1);
          await probe.close();
        }
        const last = await b.subscribe(transport, { group, settle: 'at once' });
        assertRepeated(await last.received(8), true);
      }),
    );

    whenLosing(
      'says so of what was settled and comes again, because the broker never heard of it',
      bench(async (b) => {
        const { loseSettlements } = b.subject;
        assert.ok(loseSettlements, 'create() must offer loseSettlements where it is said to');
        const [losing, staying] = [await b.open(), await b.open()];
        const group = b.group('unheard');
        const first = await b.subscribe(losing, { group });
        await staying.publish(b.messages(4, { keys: 2 }));
        const deliveries = await first.received(4);
        const restore = loseSettlements();
        first.settle(...deliveries);
        // It may say that it could not tell its broker.
        await losing.close().catch(() => undefined);
        restore();
        const second = await b.subscribe(staying, { group, settle: 'at once' });
        assertRepeated(await second.received(4), true);
      }),
    );

    whenBroadcast(
      'takes no broadcast message for a repeated one',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, { group: null, settle: 'at once' });
        await transport.publish(b.messages(5));
        assertRepeated(await probe.received(5), false);
      }),
    );
  });
}

function assertRepeated(deliveries: readonly Delivery[], expected: boolean): void {
  const wrong = deliveries.filter(({ mayBeRepeated }) => mayBeRepeated !== expected);
  const which = wrong.map(({ message }) => message.id).join(', ');
  assert.equal(wrong.length, 0, `mayBeRepeated must be ${expected}, and is not of ${which}`);
}

async function untilCaughtUp(b: TransportBench, group: string): Promise<void> {
  const watching = await b.open();
  await b.until(
    async () => {
      const { pending, lag } = await b.inspectGroup(watching, group);
      return pending === 0 && lag === 0;
    },
    () => 'the group to have caught up',
  );
}
