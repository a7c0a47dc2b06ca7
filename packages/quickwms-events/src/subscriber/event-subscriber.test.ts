import { MemoryTransport } from '@waybill/core/memory';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

import { MemoryEventBus } from '../bus/index.ts';
import { EventPublisher } from '../publisher/index.ts';
import { EventSubscriber, type EventSubscriberOptions } from './event-subscriber.ts';

/** Long enough for a slow machine; every wait ends as soon as its condition holds. */
const waiting = { timeout: 15_000, interval: 5 };

/** A service with a subscriber, and a publisher of another service on the same transport. */
function service(options?: EventSubscriberOptions, transport = new MemoryTransport()) {
  const bus = new MemoryEventBus({ serviceName: 'quickgradez', transport });
  const subscriber = new EventSubscriber(bus, options);
  const beside = new MemoryEventBus({ serviceName: 'quickintakez', transport });
  const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus: beside });
  return { bus, subscriber, publisher, transport };
}

const graded = {
  type: 'item.graded' as const,
  qlid: '123456789',
  data: { itemId: 'item-1', qlid: '123456789', grade: 'A' as const, condition: 'new' },
};

describe('EventSubscriber', () => {
  it('gives handlers by type, by types and by domain what they ask for, and nothing else', async () => {
    const { subscriber, publisher, bus } = service();
    const seen: string[] = [];
    subscriber
      .on('item.graded', (event) => void seen.push(`on ${event.data.grade}`))
      .onMultiple(
        ['item.graded', 'item.received'],
        (event) => void seen.push(`multiple ${event.type}`),
      )
      .onDomain('item', (event) => void seen.push(`domain ${event.type}`))
      .on('bid.placed', () => void seen.push('wrong'));
    await subscriber.start();
    await publisher.publish(graded);
    await vi.waitFor(
      () => expect(seen).toEqual(['on A', 'multiple item.graded', 'domain item.graded']),
      waiting,
    );
    await bus.shutdown();
  });

  it('hands a handler with a schema the output of that schema', async () => {
    const { subscriber, publisher, bus } = service();
    const seen: number[] = [];
    const schema = z.object({ grade: z.string().transform((grade) => grade.length) });
    subscriber.on('item.graded', (event) => void seen.push(event.data.grade), { schema });
    await subscriber.start();
    await publisher.publish(graded);
    await vi.waitFor(() => expect(seen).toEqual([1]), waiting);
    await bus.shutdown();
  });

  it('sends what does not fit the catalogue to the dead letters when strict', async () => {
    const { subscriber, publisher, bus } = service({ strict: true });
    const handler = vi.fn();
    const dead = vi.fn();
    bus.on('deadLetter', dead);
    subscriber.on('item.graded', handler);
    await subscriber.start();
    await publisher.publish({ ...graded, data: { itemId: 'item-1' } });
    await vi.waitFor(() => expect(dead).toHaveBeenCalledOnce(), waiting);
    expect(handler).not.toHaveBeenCalled();
    await bus.shutdown();
  });

  it('broadcasts to every instance, and to one of a group otherwise', async () => {
    const transport = new MemoryTransport();
    const seen: string[] = [];
    const instances = ['one', 'two'].map((name) => {
      const { subscriber, bus, publisher } = service({}, transport);
      subscriber.on('item.graded', () => void seen.push(`group`));
      subscriber.on('item.graded', () => void seen.push(`cache ${name}`), { broadcast: true });
      return { subscriber, bus, publisher };
    });
    for (const { subscriber } of instances) await subscriber.start();
    await instances[0]!.publisher.publish(graded);
    await vi.waitFor(
      () => expect(seen.toSorted()).toEqual(['cache one', 'cache two', 'group']),
      waiting,
    );
    for (const { bus } of instances) await bus.shutdown();
  });

  it('knows whether it is running, and takes no handler any more then', async () => {
    const { subscriber, bus } = service();
    subscriber.on('item.graded', () => undefined);
    expect(subscriber.isRunning()).toBe(false);
    await subscriber.start();
    expect(subscriber.isRunning()).toBe(true);
    expect(() => subscriber.on('bid.placed', () => undefined)).toThrow(/GROUP_RUNNING/);
    await subscriber.stop();
    expect(subscriber.isRunning()).toBe(false);
    await bus.shutdown();
  });

  it('takes nothing while it is paused, and has finished once it is stopped', async () => {
    const { subscriber, publisher, bus } = service();
    const handler = vi.fn();
    subscriber.on('item.graded', handler);
    subscriber.pause();
    await subscriber.start();
    await publisher.publish(graded);
    expect({ paused: subscriber.paused, running: subscriber.isRunning() }).toEqual({
      paused: true,
      running: true,
    });
    expect(handler).not.toHaveBeenCalled();
    subscriber.resume();
    await vi.waitFor(() => expect(handler).toHaveBeenCalledOnce(), waiting);
    await subscriber.stop();
    await subscriber.finished;
    await bus.shutdown();
  });

  it('holds several types and whole domains to the catalogue, too, when strict', async () => {
    const { subscriber, publisher, bus } = service({ strict: true });
    const seen: string[] = [];
    const dead = vi.fn();
    bus.on('deadLetter', dead);
    subscriber
      .onMultiple(['item.graded', 'bid.placed'], ({ id }) => void seen.push(id))
      .onDomain('item', ({ id }) => void seen.push(id));
    await subscriber.start();
    await publisher.publish({ ...graded, id: 'bad', data: { itemId: 'item-1' } });
    await publisher.publish({ ...graded, id: 'good' });
    await vi.waitFor(() => expect(seen).toEqual(['good', 'good']), waiting);
    expect(dead).toHaveBeenCalledTimes(2);
    await bus.shutdown();
  });

  it('refuses an inbox without a database, a second set-up of one group, and unknown options', () => {
    const { subscriber, bus } = service();
    expect(() => subscriber.on('item.graded', () => undefined, { inbox: true })).toThrow(
      /database/,
    );
    expect(() => new EventSubscriber(bus, { concurrency: 5 })).toThrow(/set up already/);
    expect(() => new EventSubscriber(bus, { prune: false })).toThrow(/prune is about a database/);
    expect(() => service({ concurency: 5 } as EventSubscriberOptions)).toThrow(
      /unknown option concurency/,
    );
    expect(() => subscriber.on('item.graded', () => undefined, { timeout: 5 } as object)).toThrow(
      /unknown option/,
    );
  });
});
