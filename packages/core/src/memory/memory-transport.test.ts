import { expect, it } from 'vitest';

import type { Delivery, Message, Subscription } from '../transport.ts';
import { settle } from '../../test/until.ts';
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
  await expect(transport.publish([message])).resolves.toEqual(['0']);
});
