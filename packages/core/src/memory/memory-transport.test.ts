import { expect, it } from 'vitest';

import type { Delivery, Subscription } from '../transport/transport.ts';
import type { Message } from '../event/message.ts';
import { settle } from '../../test/until.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryBroker } from './memory-broker.ts';
import { MemoryTransport } from './memory-transport.ts';

const message: Message = {
  id: '1',
  type: 'order.placed',
  key: 'order-1',
  contentType: 'text/plain',
  body: 'text',
};

const subscription: Subscription = {
  group: 'billing',
  patterns: ['*'],
  start: 'earliest',
  maxInFlight: 1,
  worker: 'worker-1',
};

async function connected(): Promise<MemoryTransport> {
  const transport = new MemoryTransport();
  await transport.connect();
  return transport;
}

it('never hands out a message from within publish, subscribe or settle', async () => {
  const transport = await connected();
  const handedOut: Delivery[] = [];
  await transport.subscribe(subscription, (delivery) => handedOut.push(delivery));
  await transport.publish([message, { ...message, id: '2' }]);
  expect(handedOut).toHaveLength(0);
  await settle();
  expect(handedOut).toHaveLength(1);
  handedOut[0]!.settle();
  expect(handedOut).toHaveLength(1);
  await settle();
  expect(handedOut.map(({ message: { id } }) => id)).toEqual(['1', '2']);
  await transport.close();
});

it('deals messages out to the consumers of a group in turn', async () => {
  const transport = await connected();
  const shares: string[][] = [[], []];
  for (const share of shares) {
    await transport.subscribe({ ...subscription, maxInFlight: 10 }, (delivery) =>
      share.push(delivery.message.id),
    );
  }
  await transport.publish(['1', '2', '3', '4'].map((id) => ({ ...message, id })));
  await settle();
  expect(shares).toEqual([
    ['1', '3'],
    ['2', '4'],
  ]);
  await transport.close();
});

it.each([
  [-1_000, ['1', '2', '3']],
  [-999, ['2', '3']],
  [0, ['2', '3']],
  [1, ['3']],
  [1_000, ['3']],
  [1_001, []],
])(
  'begins a new group with what was accepted %s ms after 2 or later',
  async (afterMs, expected) => {
    const clock = new ManualClock();
    const transport = new MemoryTransport({ broker: new MemoryBroker({ clock }) });
    await transport.connect();
    await transport.publish([{ ...message, id: '1' }]);
    await clock.advance(1_000);
    const start = new Date(clock.now() + afterMs);
    await transport.publish([{ ...message, id: '2' }]);
    await clock.advance(1_000);
    await transport.publish([{ ...message, id: '3' }]);
    const ids: string[] = [];
    await transport.subscribe({ ...subscription, start, maxInFlight: 10 }, (delivery) =>
      ids.push(delivery.message.id),
    );
    await settle();
    expect(ids).toEqual(expected);
    await transport.publish([{ ...message, id: '4' }]);
    await settle();
    expect(ids).toEqual([...expected, '4']);
    await transport.close();
  },
);

it('has a broker that refuses an option that it does not know', () => {
  expect(() => new MemoryBroker({ klock: new ManualClock() } as object)).toThrow(TypeError);
});

it.each([0, -1, 1.5, Number.NaN])('refuses to have %s messages in flight', async (maxInFlight) => {
  const transport = await connected();
  await expect(
    transport.subscribe({ ...subscription, maxInFlight }, () => undefined),
  ).rejects.toThrow(TypeError);
});

it('can be connected again after a close', async () => {
  const transport = await connected();
  await transport.close();
  await transport.connect();
  await expect(transport.publish([message])).resolves.toEqual([
    { status: 'accepted', position: '0' },
  ]);
});
