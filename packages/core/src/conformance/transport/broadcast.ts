import assert from 'node:assert/strict';

import { isEventError } from '../../errors.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { assertKeyOrder, assertOnceEach } from './assert-messages.ts';
import { onBench, type TransportConformanceOptions } from './transport-bench.ts';

/** Without a group, every subscription gets everything from now on and nothing is kept. */
export function describeBroadcast(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const { broadcast } = options.capabilities;
  const whenBroadcast = itWhen(it, broadcast, 'does not broadcast');
  const whenNot = itWhen(it, !broadcast, 'broadcasts');

  describe('broadcast', () => {
    whenBroadcast(
      'gives every instance everything published from then on',
      bench(async (b) => {
        const [one, two] = [await b.open(), await b.open()];
        await one.publish(b.messages(5));
        const probes = [
          await b.subscribe(one, { group: null, settle: 'at once' }),
          await b.subscribe(two, { group: null, settle: 'at once' }),
          await b.subscribe(two, { group: null, settle: 'at once' }),
        ];
        const sent = b.messages(40, { keys: 4 });
        await one.publish(sent);
        for (const probe of probes) {
          await probe.received(40);
          assertKeyOrder(probe.deliveries, sent);
        }
        await b.quiet();
        for (const probe of probes) assertOnceEach(probe.deliveries, sent);
      }),
    );

    whenBroadcast(
      'takes nothing from groups, and groups take nothing from it',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('beside');
        const probes = [
          await b.subscribe(transport, { group: null, settle: 'at once' }),
          await b.subscribe(transport, { group, settle: 'at once' }),
        ];
        const sent = b.messages(20, { keys: 4 });
        await transport.publish(sent);
        for (const probe of probes) assertOnceEach(await probe.received(20), sent);
      }),
    );

    whenBroadcast(
      'keeps nothing for a subscription that has closed',
      bench(async (b) => {
        const transport = await b.open();
        const names = async (): Promise<Set<string>> => {
          const { streams } = await transport.inspect();
          return new Set(streams.flatMap(({ groups }) => groups.map(({ name }) => name)));
        };
        const before = await names();
        const first = await b.subscribe(transport, { group: null });
        await transport.publish(b.messages(3));
        await first.received(3);
        const added = [...(await names())].filter((name) => !before.has(name));
        assert.deepEqual(added, [], 'it makes no group');
        await first.close();
        const second = await b.subscribe(transport, { group: null, settle: 'at once' });
        const sent = b.messages(2);
        await transport.publish(sent);
        await second.received(2);
        await b.quiet();
        assertOnceEach(second.deliveries, sent);
      }),
    );

    whenNot(
      'refuses a subscription without a group',
      bench(async (b) => {
        const transport = await b.open();
        await assert.rejects(b.subscribe(transport, { group: null }), (error) =>
          isEventError(error, 'CAPABILITY_MISSING'),
        );
      }),
    );
  });
}
