import { MemoryTransport } from '@waybill/core/memory';
import type { Transport } from '@waybill/core';
import type { Delivery, Message } from '@waybill/core/adapter';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { CrashPoints, type CrashPlan } from './crash-points.ts';
import { crashingTransport } from './crashing-transport.ts';

const message = (id: string, type = 'item.graded'): Message => ({
  id,
  type,
  key: id,
  contentType: 'text/plain',
  body: id,
});

describe('a crashing transport', () => {
  let inner: MemoryTransport;

  async function open(points: CrashPoints): Promise<Transport> {
    inner = new MemoryTransport();
    const transport = crashingTransport(inner, points);
    await transport.connect();
    return transport;
  }

  async function consume(transport: Transport) {
    const deliveries: Delivery[] = [];
    const consumer = await transport.subscribe(
      { group: 'graders', patterns: ['*'], start: 'earliest', maxInFlight: 10, worker: 'w' },
      (delivery) => deliveries.push(delivery),
    );
    return { consumer, deliveries };
  }

  const crashing = (plan: CrashPlan) =>
    new CrashPoints(plan, () => {
      throw new Error('crashed');
    });
  const pending = async () => (await inner.inspect()).streams[0]!.groups[0]!.pending;

  afterEach(() => inner.close());

  it('records each publish, each settlement and each closing', async () => {
    const points = new CrashPoints();
    const transport = await open(points);

    await transport.publish([message('a'), message('b', 'item.listed'), message('c')]);
    const { consumer, deliveries } = await consume(transport);
    await vi.waitFor(() => expect(deliveries).toHaveLength(3), 10_000);
    for (const delivery of deliveries) delivery.settle();
    await consumer.close();

    expect(points.names).toEqual([
      'publish item.graded, item.listed',
      'settle item.graded',
      'settle item.listed',
      'settle item.graded #2',
      'close graders',
    ]);
    expect(await pending()).toBe(0);
  });

  it('passes the rest of the transport through', async () => {
    const transport = await open(new CrashPoints());

    expect(transport.name).toBe('memory');
    expect(transport.capabilities).toBe(MemoryTransport.capabilities);
    expect(await transport.publish([message('a')])).toEqual([
      { status: 'accepted', position: '0' },
    ]);
  });

  it('crashes before and after the broker has the messages', async () => {
    const before = await open(crashing({ point: 1, moment: 'before' }));
    await expect(before.publish([message('a')])).rejects.toThrow('crashed');
    expect((await inner.inspect()).streams[0]!.length).toBe(0);
    await inner.close();

    const after = await open(crashing({ point: 1, moment: 'after' }));
    await expect(after.publish([message('a')])).rejects.toThrow('crashed');
    expect((await inner.inspect()).streams[0]!.length).toBe(1);
  });

  it('crashes before and after a settlement', async () => {
    for (const moment of ['before', 'after'] as const) {
      const transport = await open(crashing({ point: 'settle item.graded', moment }));
      await transport.publish([message('a')]);
      const { deliveries } = await consume(transport);
      await vi.waitFor(() => expect(deliveries).toHaveLength(1), 10_000);

      expect(() => deliveries[0]!.settle()).toThrow('crashed');

      expect(await pending()).toBe(moment === 'before' ? 1 : 0);
      await inner.close();
      await inner.connect();
    }
  });
});
