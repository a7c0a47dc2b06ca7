import assert from 'node:assert/strict';

import type { Message } from '../../event/message.ts';
import type { HandoverQueue, NewHandover } from '../../transport/handover-queue.ts';
import { awkwardMessages, brokenMessage } from '../dead-letter-queue/failures.ts';
import { onStore, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';
import { assertSameMessage } from '../transport/assert-messages.ts';
import {
  answerTo,
  assertNothingOpen,
  claim,
  claimOne,
  handoverOf,
  idsOf,
  kindOf,
  leave,
  questionAbout,
} from './handovers.ts';

const messages: readonly Message[] = [
  ...awkwardMessages,
  { ...brokenMessage, body: Uint8Array.of(0, 255, 0xc3, 0x28, 10, 34) },
  { ...brokenMessage, key: 'two\u2028lines', body: 'two\u2028lines, or\u2029more' },
];

/** An event is kept once for each handler, whole, however often it is left. */
export function describeKeeping(
  options: StoreConformanceOptions<HandoverQueue>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);

  describe('keeping', () => {
    it(
      'gives back what was added',
      bench(async (b) => {
        const coordinates = { transport: 'memory', stream: 'ü "quoted"', position: '17-0' };
        const rows: NewHandover[] = [
          handoverOf(b.event({ subject: 'order-1' })),
          handoverOf(b.event({ subject: 'order-2', version: 7 }), { derived: true, coordinates }),
        ];
        await b.store.add(rows);
        const claims = await claim(b, { kinds: [kindOf(), kindOf({ eventVersion: 7 })] });
        assert.equal(claims.length, 2);
        for (const [at, { handover }] of claims.entries()) {
          const { id, enteredAt, message, ...rest } = handover;
          const { message: received, ...expected } = rows[at]!;
          assert.deepEqual(rest, expected);
          assertSameMessage(message, received);
          assert.equal(typeof id, 'string');
          assert.ok(enteredAt instanceof Date);
        }
        assert.notEqual(claims[0]!.handover.id, claims[1]!.handover.id);
      }),
    );

    it(
      'gives back the message as it was received',
      bench(async (b) => {
        for (const message of messages) {
          await b.store.add([handoverOf(b.event(), { message })]);
          const claimed = await claimOne(b);
          assertSameMessage(claimed.handover.message, message);
          await b.store.settle(claimed);
        }
      }),
    );

    it(
      'keeps one of those that are added again, in one call, later and at once',
      bench(async (b) => {
        const row = handoverOf(b.event());
        await b.store.add([row, { ...row }]);
        await b.store.add([row]);
        const other = handoverOf(b.event({ subject: 'order-2' }));
        await Promise.all([1, 2, 3].map(() => b.store.add([other])));
        assert.deepEqual(idsOf(await claim(b)), idsOf([row, other]));
      }),
    );

    it(
      'does not take up again what is done',
      bench(async (b) => {
        const row = await leave(b, 'order-1');
        await b.store.settle(await claimOne(b));
        await b.store.add([row]);
        await assertNothingOpen(b);
        assert.equal(await answerTo(b, questionAbout(row)), 'known');
      }),
    );

    it(
      'leaves a claim as it is when its event is added again',
      bench(async (b) => {
        const row = await leave(b, 'order-1');
        const claimed = await claimOne(b);
        await b.store.add([row]);
        assert.deepEqual(await claim(b, { worker: 'worker-2' }), []);
        assert.equal(await b.store.settle(claimed), true);
      }),
    );

    it(
      'tells group, handler, source and id apart, whatever characters they have',
      bench(async (b) => {
        const base = handoverOf(b.event());
        const rows: NewHandover[] = [
          base,
          { ...base, group: 'shipping' },
          { ...base, handler: 'ship' },
          { ...base, source: 'shop' },
          { ...base, eventId: 'e-2' },
          { ...base, group: 'a', handler: 'b:c', source: 'd', eventId: 'e' },
          { ...base, group: 'a:b', handler: 'c', source: 'd', eventId: 'e' },
          { ...base, group: 'a', handler: 'b', source: 'c|d', eventId: 'e' },
          { ...base, group: 'a', handler: 'b', source: 'c', eventId: 'd|e' },
          { ...base, group: 'A', handler: 'b', source: 'c', eventId: 'd|e' },
          { ...base, group: 'ü "quoted"', handler: '', source: "o'clock", eventId: '世界' },
        ];
        for (const row of rows) {
          const question = questionAbout(row);
          assert.notEqual(await answerTo(b, question), 'known', JSON.stringify(question));
          await b.store.add([row]);
        }
        for (const row of rows) assert.equal(await answerTo(b, questionAbout(row)), 'known');
      }),
    );

    it(
      'adds nothing where nothing is given',
      bench(async (b) => {
        await b.store.add([]);
        await assertNothingOpen(b);
      }),
    );
  });
}
