import assert from 'node:assert/strict';

import type { Message } from '../../event/message.ts';
import { positionsOf } from '../../transport/publish-outcome.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { assertOnceEach, assertSameMessage } from './assert-messages.ts';
import { awkwardHeaders } from './awkward-headers.ts';
import {
  onBench,
  type TransportBench,
  type TransportConformanceOptions,
} from './transport-bench.ts';

/** What is published comes whole. */
export function describeMessages(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const withHistory = itWhen(it, options.capabilities.history, 'keeps no history');

  describe('messages', () => {
    it(
      'hands over every attribute as it was published',
      bench(async (b) => {
        await assertRoundTrip(b, [
          b.message({
            type: 'order.created',
            contentType: 'application/json; charset=utf-8',
            body: '{"text":"Grüße, 世界 🎁","zero":0}',
            headers: [
              ['ce-id', '1'],
              ['note', 'ünï ☂'],
              ['empty', ''],
            ],
          }),
        ]);
      }),
    );

    it(
      'keeps headers in order, with their case, repetitions and bytes',
      bench(async (b) => {
        await assertRoundTrip(b, [b.message({ headers: awkwardHeaders })]);
      }),
    );

    it(
      'keeps headers when it hands a message out again',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('again');
        const first = await b.subscribe(transport, { group });
        const sent = b.message({ headers: awkwardHeaders });
        await transport.publish([sent]);
        await first.received(1);
        await first.close();
        const again = await b.subscribe(transport, { group, settle: 'at once' });
        assertSameMessage((await again.received(1))[0]!.message, sent);
      }),
    );

    withHistory(
      'keeps headers for a group that comes later',
      bench(async (b) => {
        const transport = await b.open();
        const sent = b.message({ headers: awkwardHeaders });
        await transport.publish([sent]);
        const later = { group: b.group('later'), start: 'earliest' } as const;
        const probe = await b.subscribe(transport, { ...later, settle: 'at once' });
        assertSameMessage((await probe.received(1))[0]!.message, sent);
      }),
    );

    it(
      'keeps a body of bytes exactly, valid text or not',
      bench(async (b) => {
        const everyByte = Uint8Array.from({ length: 512 }, (_, index) => index % 256);
        await assertRoundTrip(b, [b.message({ body: everyByte })]);
      }),
    );

    it(
      'keeps a string body with quotes, line breaks and a byte order mark',
      bench(async (b) => {
        await assertRoundTrip(b, [b.message({ body: '\uFEFF "it\'s"\\ \r\n\t end ' })]);
      }),
    );

    it(
      'takes messages without headers, with empty headers and with an empty body',
      bench(async (b) => {
        await assertRoundTrip(b, [
          b.message(),
          b.message({ headers: [] }),
          b.message({ body: '' }),
          b.message({ body: new Uint8Array(0) }),
        ]);
      }),
    );

    it(
      'keeps a body of 200 KB',
      bench(async (b) => {
        await assertRoundTrip(b, [b.message({ body: 'waybill ✓ '.repeat(17_000) })]);
      }),
    );

    it(
      'is not disturbed by a publisher that reuses its buffer',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('buffers');
        const probe = await b.subscribe(transport, { group, settle: 'at once' });
        const body = Uint8Array.of(1, 2, 3);
        const value = Uint8Array.of(4, 5, 6);
        const sent = b.message({ body, headers: [['note', value]] });
        const copy = structuredClone(sent);
        await transport.publish([sent]);
        body.fill(9);
        value.fill(9);
        const [delivery] = await probe.received(1);
        assertSameMessage(delivery!.message, copy);
      }),
    );

    it(
      'publishes nothing when given nothing',
      bench(async (b) => {
        const transport = await b.open();
        assert.deepEqual(await transport.publish([]), []);
      }),
    );

    it(
      'says where each message lies, and names the same place when it delivers it',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, { group: b.group('places'), settle: 'at once' });
        const sent = b.messages(20, { keys: 5 });
        const positions = positionsOf(await transport.publish(sent));
        const deliveries = await probe.received(20);
        for (const { message, coordinates } of deliveries) {
          const index = sent.findIndex(({ id }) => id === message.id);
          assert.equal(coordinates.position, positions[index], `position of ${message.id}`);
          assert.equal(coordinates.transport, transport.name);
          assert.notEqual(coordinates.stream, '');
          const stream = transport.streamOf?.(message.type) ?? coordinates.stream;
          assert.equal(coordinates.stream, stream);
        }
        const places = deliveries.map(({ coordinates: { stream, partition, position } }) =>
          JSON.stringify([stream, partition, position]),
        );
        assert.equal(new Set(places).size, 20, 'no two messages lie in one place');
      }),
    );

    it(
      'never withholds a message that matches a pattern',
      bench(async (b) => {
        const transport = await b.open();
        const types = ['item.graded', 'order.created', 'bid.placed', 'quality.inspection.created'];
        const sent = types.flatMap((type) => b.messages(25, { keys: 5, type }));
        const wanted = ['item.*', '*.created', 'bid.placed', 'quality.*'];
        const probe = await b.subscribe(transport, {
          group: b.group('patterns'),
          patterns: wanted,
          settle: 'at once',
        });
        await transport.publish(sent);
        assertOnceEach(await probe.received(sent.length), sent);
      }),
    );
  });
}

/** Publishes messages and fails unless each came once and as it was sent. */
async function assertRoundTrip(b: TransportBench, sent: readonly Message[]): Promise<void> {
  const transport = await b.open();
  const probe = await b.subscribe(transport, { group: b.group('whole'), settle: 'at once' });
  await transport.publish(sent);
  const deliveries = await probe.received(sent.length);
  assertOnceEach(deliveries, sent);
  for (const { message } of deliveries) {
    assertSameMessage(
      message,
      sent.find(({ id }) => id === message.id)!,
    );
  }
}
