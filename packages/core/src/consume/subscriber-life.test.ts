import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { holding, recording } from '../../test/handlers.ts';
import { SubscriberBench } from '../../test/subscriber-bench.ts';
import { settle, until } from '../../test/until.ts';
import type { Subscriber } from './subscriber.ts';

let bench: SubscriberBench;

beforeEach(() => {
  bench = new SubscriberBench();
});

afterEach(() => bench.end());

const gone = new Error('the stream was deleted');

/** A running subscriber with a handler in its group, and one of a broadcast. */
async function running(): Promise<Subscriber> {
  const subscriber = bench.subscriber();
  subscriber.on('item.*', () => {}).on('item.*', () => {}, { broadcast: true });
  await subscriber.start();
  return subscriber;
}

/** What has become of a promise by now. */
async function outcomeOf(promise: Promise<void>): Promise<unknown> {
  let outcome: unknown = 'pending';
  promise.then(
    () => (outcome = 'resolved'),
    (error: unknown) => (outcome = error),
  );
  await settle();
  return outcome;
}

describe('a subscriber', () => {
  it('runs from its start to its stop, and has finished then', async () => {
    const subscriber = bench.subscriber();
    subscriber.on('item.*', () => {}).on('item.*', () => {}, { broadcast: true });
    expect(subscriber.isRunning()).toBe(false);
    await subscriber.start();
    await subscriber.start();
    expect(subscriber.isRunning()).toBe(true);
    expect(await outcomeOf(subscriber.finished)).toBe('pending');
    await subscriber.stop();
    expect(subscriber.isRunning()).toBe(false);
    expect(await outcomeOf(subscriber.finished)).toBe('resolved');
  });

  it('has finished when its bus has shut down, and when it is stopped without ever having begun', async () => {
    const bus = bench.bus();
    const shut = bench.subscriber({}, bus);
    shut.on('item.*', () => {}).on('item.*', () => {}, { broadcast: true });
    await shut.start();
    await bus.shutdown();
    expect(await outcomeOf(shut.finished)).toBe('resolved');
    const unused = bench.subscriber();
    await unused.stop();
    expect(await outcomeOf(unused.finished)).toBe('resolved');
  });

  it('may be started again when its start failed', async () => {
    const bus = bench.bus();
    const connect = bus.transport.connect.bind(bus.transport);
    const subscriber = bench.subscriber({}, bus);
    subscriber.on('item.*', () => {});
    bus.transport.connect = () => Promise.reject(new Error('away'));
    await expect(subscriber.start()).rejects.toThrow('away');
    expect(subscriber.isRunning()).toBe(false);
    bus.transport.connect = connect;
    subscriber.on('order.*', () => {});
    await subscriber.start();
    expect(subscriber.isRunning()).toBe(true);
  });

  it.each([
    ['its group', 'graders-group'],
    ['its broadcast', null],
  ])('runs no more once the consumer of %s has ended by itself', async (_what, group) => {
    const subscriber = await running();
    bench.consumers.get(group)!.fail(gone);
    expect(await outcomeOf(subscriber.finished)).toBe(gone);
    expect(subscriber.isRunning()).toBe(false);
    expect(subscriber.health()).toEqual({
      status: 'failed',
      reasons: ['the consumer has ended: the stream was deleted, since 2026-01-01T00:00:00.000Z'],
    });
    await subscriber.stop();
    await expect(subscriber.finished).rejects.toBe(gone);
  });

  it('leaves no rejection to nobody when a consumer ends', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      await running();
      for (const { fail } of bench.consumers.values()) fail(gone);
      await settle();
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  it('has the health of its group and of its broadcast together', async () => {
    const subscriber = await running();
    expect(subscriber.health()).toEqual({ status: 'ok', reasons: [] });
    bench.consumers.get(null)!.tell(new Error('away'));
    await bench.clock.advance(1_000);
    bench.consumers.get('graders-group')!.tell(new Error('refused'));
    expect(subscriber.health()).toEqual({
      status: 'degraded',
      reasons: [
        'the consumer of graders-group does not get on: refused, since 2026-01-01T00:00:01.000Z',
        'the consumer of broadcast does not get on: away, since 2026-01-01T00:00:00.000Z',
      ],
    });
  });

  it('names what its stop has left, of the group and of the broadcast', async () => {
    const subscriber = bench.subscriber();
    const slow = holding();
    subscriber.on('item.*', slow.handler).on('item.*', slow.handler, { broadcast: true });
    await subscriber.start();
    bench.publish({ id: 'e1' });
    await until(() => slow.begun.length === 2, 'both began');
    const stopped = subscriber.stop({ deadlineMs: 1_000 });
    await settle();
    await bench.clock.advance(1_000);
    await stopped;
    expect(subscriber.unfinished.map(({ eventId }) => eventId)).toEqual(['e1', 'e1']);
  });
});

describe('a paused subscriber', () => {
  it('takes nothing for its group and its broadcast before it is resumed', async () => {
    const subscriber = bench.subscriber();
    const { handled, handler } = recording();
    subscriber.on('item.*', handler).on('item.*', handler, { broadcast: true });
    await subscriber.start();
    subscriber.pause();
    expect({ paused: subscriber.paused, running: subscriber.isRunning() }).toEqual({
      paused: true,
      running: true,
    });
    bench.publish({ id: 'e1' });
    await settle();
    expect(handled).toEqual([]);
    subscriber.resume();
    await until(() => handled.length === 2, 'both have it');
    expect(subscriber.paused).toBe(false);
  });

  it('begins paused, whatever is registered after the pause', async () => {
    const subscriber = bench.subscriber();
    const { handled, handler } = recording();
    subscriber.pause();
    subscriber.on('item.*', handler).on('item.*', handler, { broadcast: true });
    await subscriber.start();
    bench.publish({ id: 'e1' });
    await settle();
    expect(handled).toEqual([]);
    subscriber.resume();
    await until(() => handled.length === 2, 'both have it');
  });
});
