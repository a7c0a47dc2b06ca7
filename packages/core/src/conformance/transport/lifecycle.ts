import assert from 'node:assert/strict';

import { isEventError } from '../../errors.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { assertOnceEach } from './assert-messages.ts';
import { onBench, type TransportConformanceOptions } from './transport-bench.ts';

/** Opening and closing, at any moment and by anybody, loses nothing. */
export function describeLifecycle(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const whenPersistent = itWhen(it, options.capabilities.persistent, 'lives within one process');

  describe('opening and closing', () => {
    it(
      'connects once, however often it is asked to',
      bench(async (b) => {
        const transport = await b.openUnconnected();
        await Promise.all([transport.connect(), transport.connect()]);
        await transport.connect();
        const probe = await b.subscribe(transport, {
          group: b.group('connected'),
          settle: 'at once',
        });
        const sent = b.messages(3);
        await transport.publish(sent);
        assertOnceEach(await probe.received(3), sent);
      }),
    );

    it(
      'refuses by name what comes before connect and after close',
      bench(async (b) => {
        const transport = await b.openUnconnected();
        const refusals = async (): Promise<void> => {
          const notConnected = (error: unknown) => isEventError(error, 'NOT_CONNECTED');
          await assert.rejects(transport.publish([b.message()]), notConnected);
          await assert.rejects(b.subscribe(transport, { group: b.group('no') }), notConnected);
        };
        await refusals();
        await transport.connect();
        await transport.close();
        await refusals();
      }),
    );

    it(
      'closes as often as it is asked to, together with its consumers',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, { group: b.group('closing') });
        await Promise.all([transport.close(), transport.close()]);
        await transport.close();
        await b.ended(probe);
        await probe.close();
      }),
    );

    it(
      'leaves no consumer behind that is being opened while it closes',
      bench(async (b) => {
        const group = b.group('being-opened');
        const [closing, staying] = [await b.open(), await b.open()];
        await (await b.subscribe(staying, { group })).close();
        const subscribing = b.subscribe(closing, { group });
        const [outcome] = await Promise.allSettled([subscribing, closing.close()]);
        if (outcome.status === 'fulfilled') await b.ended(outcome.value);
        else assertRefusedByName(outcome.reason);
        const sent = b.message();
        await staying.publish([sent]);
        const probe = await b.subscribe(staying, { group, settle: 'at once' });
        assertOnceEach(await probe.received(1), [sent]);
      }),
    );

    it(
      'hands out nothing after a consumer has closed, however often it was closed',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('closed');
        const probe = await b.subscribe(transport, { group, settle: 'at once' });
        await Promise.all([probe.close(), probe.consumer.close()]);
        await probe.close();
        await b.ended(probe);
        const sent = b.messages(5);
        await transport.publish(sent);
        await b.quiet();
        assert.deepEqual(probe.ids, []);
        const next = await b.subscribe(transport, { group, settle: 'at once' });
        assertOnceEach(await next.received(5), sent);
      }),
    );

    it(
      'keeps for a group what is published while none of its consumers runs',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('away');
        const first = await b.subscribe(transport, { group, settle: 'at once' });
        await first.close();
        const sent = b.messages(25, { keys: 5 });
        await transport.publish(sent);
        const second = await b.subscribe(await b.open(), { group, settle: 'at once' });
        assertOnceEach(await second.received(25), sent);
      }),
    );

    it(
      'loses nothing over consumers that open and close while messages arrive',
      bench(async (b) => {
        const publisher = await b.open();
        const group = b.group('restless');
        await (await b.subscribe(publisher, { group })).close();
        const sent = b.messages(300, { keys: 15 });
        const publishing = (async () => {
          for (let at = 0; at < 300; at += 10) await publisher.publish(sent.slice(at, at + 10));
        })();
        const seen = () => new Set(b.arrivals.map(({ message }) => message.id)).size;
        for (let round = 1; round <= 6; round += 1) {
          const probe = await b.subscribe(await b.open(), { group, maxInFlight: 20 });
          await probe.received(1);
          probe.settle(...probe.unsettled.slice(0, 10));
          await probe.close();
        }
        await publishing;
        await b.subscribe(await b.open(), { group, settle: 'at once' });
        await b.until(
          () => seen() === 300,
          () => `300 messages; ${seen()} came`,
        );
        // Only what was unsettled at one of the six closings may come again.
        assert.ok(b.arrivals.length <= 300 + 6 * 20, `${b.arrivals.length} deliveries of 300`);
      }),
    );

    it(
      'loses nothing when many consumers close at once',
      bench(async (b) => {
        const publisher = await b.open();
        const group = b.group('crowd');
        const instances = await Promise.all(Array.from({ length: 5 }, () => b.open()));
        const probes = await Promise.all(
          instances.map((transport) => b.subscribe(transport, { group, maxInFlight: 10 })),
        );
        const sent = b.messages(60, { keys: 30 });
        await publisher.publish(sent);
        await b.until(
          () => b.arrivals.length >= 10,
          () => 'the first ten deliveries',
        );
        await Promise.all(probes.map((probe) => probe.close()));
        const last = await b.subscribe(publisher, { group, settle: 'at once' });
        assertOnceEach(await last.received(60), sent);
      }),
    );

    it(
      'delivers everything whose publish had resolved when the publisher closed',
      bench(async (b) => {
        const group = b.group('accepted');
        const reader = await b.open();
        await (await b.subscribe(reader, { group })).close();
        const publisher = await b.open();
        const sent = b.messages(20, { keys: 4 });
        await publisher.publish(sent);
        await publisher.close();
        const probe = await b.subscribe(reader, { group, settle: 'at once' });
        assertOnceEach(await probe.received(20), sent);
      }),
    );

    it(
      'accepts or refuses each publish by name while it is being closed',
      bench(async (b) => {
        const group = b.group('interrupted');
        const reader = await b.open();
        const probe = await b.subscribe(reader, { group, settle: 'at once' });
        const publisher = await b.open();
        const sent = b.messages(40, { keys: 40 });
        const publishing = sent.map((message) => publisher.publish([message]));
        const closing = publisher.close();
        publishing.push(publisher.publish([b.message()]));
        const outcomes = await Promise.allSettled(publishing);
        await closing;
        for (const outcome of outcomes) {
          if (outcome.status === 'fulfilled') continue;
          assertRefusedByName(outcome.reason);
        }
        const accepted = sent.filter((_, index) => outcomes[index]!.status === 'fulfilled');
        const missing = () => accepted.filter(({ id }) => !probe.ids.includes(id));
        await b.until(
          () => missing().length === 0,
          () => `${missing().length} accepted messages`,
        );
      }),
    );

    whenPersistent(
      'keeps messages and groups when every instance has closed',
      bench(async (b) => {
        const group = b.group('kept');
        const before = await b.open();
        const first = await b.subscribe(before, { group });
        const sent = b.messages(12, { keys: 3 });
        await before.publish(sent);
        const held = await first.received(12);
        const settled = held.filter(({ message }) => message.key === held[0]!.message.key);
        first.settle(...settled);
        await before.close();
        const after = await b.open();
        const second = await b.subscribe(after, { group, settle: 'at once' });
        const open = sent.filter(({ key }) => key !== settled[0]!.message.key);
        const missing = () => open.filter(({ id }) => !second.ids.includes(id));
        await b.until(
          () => missing().length === 0,
          () => `${missing().length} unsettled messages`,
        );
      }),
    );
  });
}

/** Fails unless something was refused because the transport is closed or being closed. */
function assertRefusedByName(error: unknown): void {
  const named = ['NOT_CONNECTED', 'STOPPING', 'TRANSPORT_UNAVAILABLE'];
  const code = isEventError(error) ? error.code : undefined;
  assert.ok(named.includes(code ?? ''), `refused with ${String(error)}`);
}
