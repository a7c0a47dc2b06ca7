import assert from 'node:assert/strict';

import { EventError } from '../../errors.ts';
import type { Message } from '../../event/message.ts';
import type { DrainOutcome, Outbox } from '../../publish/outbox.ts';
import { accepted, HeldKeys, type Publish } from '../../transport/publish-outcome.ts';
import { onStore, type StoreBench, type StoreConformanceOptions } from '../store/store-bench.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { acceptAll, neighboursOf, ofOrder1, to } from './outbox-cases.ts';

const [otherKey, thirdKey] = neighboursOf(2) as [string, string];
const away = new EventError('TRANSPORT_UNAVAILABLE', 'its leader is away', { transport: 'test' });
const forGood = new EventError(
  'TRANSPORT_UNAVAILABLE',
  'wrong type of key',
  { transport: 'test' },
  { retryable: false },
);

/** A message that is not taken holds back the later ones of its key, for every relay, and nothing else. */
export function describeRefusals(
  options: StoreConformanceOptions<Outbox>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);
  const whenReopened = itWhen(it, options.reopens ?? false, 'cannot be opened twice');

  describe('messages that are not taken', () => {
    it(
      'forgets at once what was accepted beside a message that was refused',
      bench(async (b) => {
        const broker = new PickyBroker(b, forGood);
        const [bad, behind] = [b.message(), b.message()];
        const [before, after] = [b.message({ key: otherKey }), b.message({ key: thirdKey })];
        await b.store.add([before, bad, after, behind], to);
        broker.refuse(bad);
        const outcome = await broker.pass();
        assertRefused(outcome, [bad], 'refused');
        assert.equal(outcome.published, 2, 'messages of other keys were accepted');
        await broker.pass();
        assert.deepEqual(broker.taken, [before.id, after.id], 'nothing was sent twice');
        assert.equal((await b.store.status()).waiting, 2);
      }),
    );

    it(
      'leaves a key out of later passes while a message of it is not taken, and no other',
      bench(async (b) => {
        const broker = new PickyBroker(b, forGood);
        const bad = b.message();
        await b.store.add([bad, b.message()], to);
        broker.refuse(bad);
        await broker.pass();
        const later = [b.message(), b.message({ key: otherKey })];
        await b.store.add(later, to);
        const outcome = await broker.pass();
        assert.deepEqual(broker.taken, [later[1]!.id], 'the other key went on');
        assert.equal(outcome.more, false, 'nothing else can be tried now');
        assert.deepEqual(await b.store.waitingPartitions(to.destination), []);
      }),
    );

    it(
      'lets other keys out although more than a batch of the key that waits lies before them',
      bench(async (b) => {
        const broker = new PickyBroker(b, forGood);
        const stuck = Array.from({ length: 3 * ofOrder1.limit }, () => b.message());
        await b.store.add(stuck, to);
        const others = Array.from({ length: 5 }, () => b.message({ key: otherKey }));
        await b.store.add(others, to);
        broker.refuse(stuck[0]!);
        for (let pass = 0; pass < 3; pass += 1) await broker.pass();
        assert.deepEqual(
          broker.taken,
          others.map(({ id }) => id),
        );
      }),
    );

    it(
      'tries the message again after its delay, and then what waits behind it, in order',
      bench(async (b) => {
        const broker = new PickyBroker(b, forGood);
        const messages = [b.message(), b.message(), b.message()];
        await b.store.add(messages, to);
        broker.refuse(messages[0]!);
        await broker.pass();
        broker.mend();
        await b.passTime(600);
        assert.deepEqual(await b.store.waitingPartitions(to.destination), [ofOrder1.partition]);
        await broker.passAll();
        assert.deepEqual(
          broker.taken,
          messages.map(({ id }) => id),
        );
        assert.deepEqual((await b.store.status()).refused, []);
      }),
    );

    it(
      'tries that one message alone while it is still refused',
      bench(async (b) => {
        const broker = new PickyBroker(b, forGood);
        const messages = Array.from({ length: 4 }, () => b.message());
        await b.store.add(messages, to);
        broker.refuse(messages[0]!);
        await broker.pass();
        await b.passTime(600);
        broker.asked = [];
        await broker.pass();
        assert.deepEqual(broker.asked, [messages[0]!.id]);
      }),
    );

    it(
      'keeps a message whose outcome is unknown, and its key, and sends it again',
      bench(async (b) => {
        const [lost, behind] = [b.message(), b.message()];
        await b.store.add([lost, behind], to);
        const outcome = await b.store.drain(ofOrder1, async (batch) =>
          batch.map(() => ({ status: 'unknown', error: away }) as const),
        );
        assertRefused(outcome, [lost], 'not answered for');
        const broker = new PickyBroker(b, away);
        await broker.pass();
        assert.deepEqual(broker.taken, [], 'nothing of the key is sent before its time');
        await b.passTime(600);
        await broker.passAll();
        assert.deepEqual(broker.taken, [lost.id, behind.id]);
      }),
    );

    it(
      'says which message is refused, why, how often and until when, and waits longer each time',
      bench(async (b) => {
        const broker = new PickyBroker(b, forGood);
        const bad = b.message({ type: 'order.paid' });
        await b.store.add([bad], to);
        broker.refuse(bad);
        await broker.pass();
        const first = await onlyRefused(b);
        const { eventId, eventType, key, destination, attempts, retryable, errorCode } = first;
        assert.deepEqual(
          { eventId, eventType, key, destination, attempts, retryable, errorCode },
          {
            eventId: bad.id,
            eventType: 'order.paid',
            key: 'order-1',
            destination: to.destination,
            attempts: 1,
            retryable: false,
            errorCode: 'TRANSPORT_UNAVAILABLE',
          },
        );
        assert.match(first.reason, /wrong type of key/);
        const orders = await b.store.checkIn(to.destination);
        assert.deepEqual(orders.refused, [first], 'the relay is told the same');
        await b.passTime(600);
        const triedMs = first.retryAt.getTime();
        await broker.pass();
        const second = await onlyRefused(b);
        assert.equal(second.attempts, 2);
        assert.deepEqual(second.refusedAt, first.refusedAt);
        const [delayMs, nextMs] = [
          triedMs - first.refusedAt.getTime(),
          second.retryAt.getTime() - triedMs,
        ];
        assert.ok(nextMs > delayMs, `waited ${delayMs} ms at first, then ${nextMs} ms`);
      }),
    );

    whenReopened(
      'holds the key back for every relay, since the state lies beside the message',
      bench(async (b) => {
        const broker = new PickyBroker(b, forGood);
        const bad = b.message();
        await b.store.add([bad, b.message(), b.message({ key: otherKey })], to);
        broker.refuse(bad);
        await broker.pass();
        const asked: Message[] = [];
        const other = await b.reopen();
        await other.drain(ofOrder1, async (batch) => {
          asked.push(...batch);
          return acceptAll(batch);
        });
        assert.deepEqual(asked, []);
      }),
    );
  });
}

/** A broker that does not take some messages, nor what comes behind them in one call. */
class PickyBroker {
  /** Ids that were accepted, and ids that were sent, in order. */
  readonly taken: string[] = [];
  asked: string[] = [];
  readonly #b: StoreBench<Outbox>;
  readonly #error: EventError;
  readonly #refused = new Set<string>();

  constructor(b: StoreBench<Outbox>, error: EventError) {
    this.#b = b;
    this.#error = error;
  }

  refuse({ id }: Message): void {
    this.#refused.add(id);
  }

  mend(): void {
    this.#refused.clear();
  }

  async pass(): Promise<DrainOutcome & { status: 'drained' }> {
    const outcome = await this.#b.store.drain(ofOrder1, this.#publish);
    assert.ok(outcome.status === 'drained', 'nobody else works on the partition');
    return outcome;
  }

  async passAll(): Promise<void> {
    while ((await this.pass()).more);
  }

  readonly #publish: Publish = async (messages) => {
    const held = new HeldKeys();
    return messages.map((message) => {
      this.asked.push(message.id);
      const outcome = held.refusalOf(message) ?? this.#outcomeOf(message);
      return held.note(message, outcome);
    });
  };

  #outcomeOf({ id }: Message): ReturnType<HeldKeys['note']> {
    if (this.#refused.has(id)) return { status: 'refused', error: this.#error };
    this.taken.push(id);
    return accepted(`at-${id}`);
  }
}

function assertRefused(
  outcome: DrainOutcome,
  expected: readonly Message[],
  how: string,
): asserts outcome is DrainOutcome & { status: 'drained' } {
  assert.ok(outcome.status === 'drained');
  assert.deepEqual(
    outcome.refused.map(({ message }) => message.id),
    expected.map(({ id }) => id),
    `the pass names what was ${how}, and not what waits behind it`,
  );
}

async function onlyRefused(b: StoreBench<Outbox>) {
  const { refused } = await b.store.status();
  assert.equal(refused.length, 1, 'status() names what is refused');
  return refused[0]!;
}
