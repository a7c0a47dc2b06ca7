import assert from 'node:assert/strict';

import { isEventError } from '../../errors.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { assertOnceEach } from './assert-messages.ts';
import { onBench, type TransportConformanceOptions } from './transport-bench.ts';

/** Groups are independent of each other, and begin where they say. */
export function describeGroups(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const { history } = options.capabilities;
  const withHistory = itWhen(it, history, 'keeps no history');
  const withoutHistory = itWhen(it, !history, 'keeps history');

  describe('groups', () => {
    it(
      'gives every group everything',
      bench(async (b) => {
        const transport = await b.open();
        const groups = ['one', 'two', 'three'].map((name) => b.group(name));
        const probes = await Promise.all(
          groups.map((group) => b.subscribe(transport, { group, settle: 'at once' })),
        );
        const sent = b.messages(50, { keys: 5 });
        await transport.publish(sent);
        for (const probe of probes) assertOnceEach(await probe.received(50), sent);
      }),
    );

    it(
      'does not let what one group leaves unsettled reach another one',
      bench(async (b) => {
        const transport = await b.open();
        const [failing, working] = [b.group('failing'), b.group('working')];
        const stuck = await b.subscribe(transport, { group: failing, maxInFlight: 1 });
        const fine = await b.subscribe(transport, { group: working, settle: 'at once' });
        const sent = b.messages(20);
        await transport.publish(sent);
        await stuck.received(1);
        assertOnceEach(await fine.received(20), sent);
        await stuck.close();
        const again = await b.subscribe(transport, { group: failing });
        const repeats = await again.received(1);
        assert.equal(repeats[0]!.message.id, sent[0]!.id);
        await b.quiet();
        assertOnceEach(fine.deliveries, sent);
      }),
    );

    it(
      'does not let one group settle for another',
      bench(async (b) => {
        const transport = await b.open();
        const [holding, settling] = [b.group('holding'), b.group('settling')];
        const held = await b.subscribe(transport, { group: holding });
        const settled = await b.subscribe(transport, { group: settling, settle: 'at once' });
        const sent = b.messages(5);
        await transport.publish(sent);
        await held.received(5);
        await settled.received(5);
        await settled.close();
        await held.close();
        const again = await b.subscribe(transport, { group: holding, settle: 'at once' });
        assertOnceEach(await again.received(5), sent);
      }),
    );

    it(
      'gives a new group that starts at the latest only what is published from then on',
      bench(async (b) => {
        const transport = await b.open();
        await transport.publish(b.messages(10));
        const probe = await b.subscribe(transport, { group: b.group('latest'), settle: 'at once' });
        const sent = b.messages(10);
        await transport.publish(sent);
        await probe.received(10);
        await b.quiet();
        assertOnceEach(probe.deliveries, sent);
      }),
    );

    it(
      'lets everything published once subscribe has resolved reach the new group',
      bench(async (b) => {
        const [publisher, subscriber] = [await b.open(), await b.open()];
        for (let round = 1; round <= 10; round += 1) {
          const group = b.group(`prompt-${round}`);
          const probe = await b.subscribe(subscriber, { group, settle: 'at once' });
          const sent = b.message();
          await publisher.publish([sent]);
          assertOnceEach(await probe.received(1), [sent]);
          await probe.close();
        }
      }),
    );

    withHistory(
      'gives a new group that starts at the earliest what was published before',
      bench(async (b) => {
        const transport = await b.open();
        const sent = b.messages(30, { keys: 3 });
        await transport.publish(sent.slice(0, 20));
        const group = b.group('earliest');
        const probe = await b.subscribe(transport, { group, start: 'earliest', settle: 'at once' });
        await transport.publish(sent.slice(20));
        assertOnceEach(await probe.received(30), sent);
      }),
    );

    withHistory(
      'gives a new group that starts at a time what was published from then on, and nothing before',
      bench(async (b) => {
        const transport = await b.open();
        // Most keys are never used again: where all is older, nothing of it may come.
        await transport.publish(b.messages(10, { keys: 10 }));
        const start = await b.timeBetween();
        const sent = b.messages(20, { keys: 3 });
        await transport.publish(sent.slice(0, 10));
        const probe = await b.subscribe(transport, {
          group: b.group('since'),
          start,
          settle: 'at once',
        });
        await transport.publish(sent.slice(10));
        await probe.received(20);
        await b.quiet();
        assertOnceEach(probe.deliveries, sent);
      }),
    );

    withoutHistory(
      'refuses a start at the earliest, which it could not keep',
      bench(async (b) => {
        const transport = await b.open();
        await assert.rejects(
          b.subscribe(transport, { group: b.group('earliest'), start: 'earliest' }),
          (error) => isEventError(error, 'CAPABILITY_MISSING'),
        );
      }),
    );

    withoutHistory(
      'refuses a start at a time, which it could not keep',
      bench(async (b) => {
        const transport = await b.open();
        await assert.rejects(
          b.subscribe(transport, { group: b.group('since'), start: new Date(0) }),
          (error) => isEventError(error, 'CAPABILITY_MISSING'),
        );
      }),
    );

    it(
      'lets a known group go on where it stood, wherever a new one would start',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('known');
        const sent = b.messages(9);
        const first = await b.subscribe(transport, { group, settle: 'at once' });
        await transport.publish(sent.slice(0, 3));
        await first.received(3);
        await first.close();
        await transport.publish(sent.slice(3, 6));
        const second = await b.subscribe(transport, { group, start: 'latest', settle: 'at once' });
        await second.received(3);
        await second.close();
        await transport.publish(sent.slice(6));
        const start = history ? 'earliest' : 'latest';
        const third = await b.subscribe(transport, { group, start, settle: 'at once' });
        await third.received(3);
        await b.quiet();
        assertOnceEach(second.deliveries, sent.slice(3, 6));
        assertOnceEach(third.deliveries, sent.slice(6));
      }),
    );

    withHistory(
      'lets a known group go on where it stood, whatever time is said',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('known-since');
        const sent = b.messages(9);
        const first = await b.subscribe(transport, { group, settle: 'at once' });
        await transport.publish(sent.slice(0, 3));
        await first.received(3);
        await first.close();
        await transport.publish(sent.slice(3, 6));
        const early = new Date(0);
        const second = await b.subscribe(transport, { group, start: early, settle: 'at once' });
        await second.received(3);
        await second.close();
        await transport.publish(sent.slice(6));
        const late = await b.timeBetween();
        const third = await b.subscribe(transport, { group, start: late, settle: 'at once' });
        await third.received(3);
        await b.quiet();
        assertOnceEach(second.deliveries, sent.slice(3, 6));
        assertOnceEach(third.deliveries, sent.slice(6));
      }),
    );
  });
}
