import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { envelope } from '../../test/envelope.ts';
import { holding, recording } from '../../test/handlers.ts';
import { PublisherBench } from '../../test/publisher-bench.ts';
import { SubscriberBench } from '../../test/subscriber-bench.ts';
import { tinyCodec } from '../../test/tiny-codec.ts';
import { settle, until } from '../../test/until.ts';
import { plainProfile } from '../event/envelope.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';
import { TransportEventBus } from './event-bus.ts';

const graded = { type: 'item.graded', data: { grade: 'A' } };

describe('a group that was stopped', () => {
  let bench: SubscriberBench;

  beforeEach(() => {
    bench = new SubscriberBench();
  });

  afterEach(() => bench.end());

  it('is made anew by its bus, with choices of its own, and goes on where it stood', async () => {
    const bus = bench.bus();
    const first = bench.subscriber({ concurrency: 3 }, bus);
    const before = recording();
    first.on('item.*', before.handler);
    await first.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    await first.stop();
    bench.publish({ id: 'e2' });

    const second = bench.subscriber({ concurrency: 5 }, bus);
    const after = recording();
    second.on('item.*', after.handler).on('item.*', after.handler, { broadcast: true });
    await second.start();
    await bench.settled();
    expect({ before: before.handled, after: after.handled }).toEqual({
      before: ['e1'],
      after: ['e2'],
    });
    expect({ first: first.isRunning(), second: second.isRunning() }).toEqual({
      first: false,
      second: true,
    });
    expect(() => bench.subscriber({ concurrency: 6 }, bus)).toThrow(/set up already/);
    await expect(first.start()).rejects.toThrow(/^STOPPING: group graders-group was stopped/);
  });

  it('is made anew also where it has ended by itself', async () => {
    const bus = bench.bus();
    bench.subscriber({}, bus).on('item.*', () => {});
    await bus.start();
    const gone = new Error('the stream was deleted');
    bench.consumers.get('graders-group')!.fail(gone);
    await settle();
    expect(bus.consumers().health().status).toBe('ok');
    const { handled, handler } = recording();
    await bus.subscribe(['item.*'], handler);
    await bus.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(handled).toEqual(['e1']);
  });

  it('has gone before the new one begins, which so never handles beside it', async () => {
    const bus = bench.bus();
    const slow = holding();
    const first = bench.subscriber({}, bus);
    first.on('item.*', slow.handler);
    await first.start();
    bench.publish({ id: 'e1', subject: 'a' });
    await until(() => slow.begun.length === 1, 'it began');
    const stopped = first.stop({ deadlineMs: 60_000 });

    const second = bench.subscriber({}, bus);
    const { handled, handler } = recording();
    second.on('item.*', handler);
    let started = false;
    const starting = second.start().then(() => (started = true));
    bench.publish({ id: 'e2', subject: 'a' });
    await settle();
    expect({ started, handled }).toEqual({ started: false, handled: [] });
    slow.release('e1');
    await Promise.all([stopped, starting]);
    await bench.settled();
    expect(handled).toEqual(['e2']);
  });

  it('keeps none of the others from starting, nor is it kept for ever', async () => {
    const bus = bench.bus();
    for (let times = 0; times < 3; times += 1) {
      const subscriber = bench.subscriber({}, bus);
      subscriber.on('item.*', () => {}).on('item.*', () => {}, { broadcast: true });
      await bus.start();
      expect(subscriber.isRunning()).toBe(true);
      await subscriber.stop();
    }
    const { handled, handler } = recording();
    bus.consumers('another').on(['item.*'], handler);
    await bus.start();
    bench.publish({ id: 'e1' });
    await until(() => handled.length === 1, 'it was handled');
  });
});

describe('after a shutdown', () => {
  let bench: PublisherBench;

  beforeEach(() => {
    bench = new PublisherBench();
  });

  afterEach(() => bench.end());

  const shut = { code: 'STOPPING', retryable: false };
  const bus = (said: { sharedTransport: boolean }) =>
    new TransportEventBus({
      serviceName: 'tests',
      transport: new MemoryTransport({ broker: bench.broker }),
      codec: tinyCodec,
      profile: plainProfile,
      consumers: { deadLetters: bench.deadLetters, clock: bench.clock },
      ...said,
    });

  it.each([{ sharedTransport: true }, { sharedTransport: false }])(
    'a bus publishes nothing and makes no group any more, with %j',
    async (said) => {
      const made = bus(said);
      await made.connect();
      await made.shutdown();
      await made.shutdown();
      await expect(made.publish(envelope())).rejects.toMatchObject(shut);
      await expect(made.publishBatch([envelope()])).rejects.toMatchObject(shut);
      expect(() => made.consumers()).toThrow(/^STOPPING: bus of tests was shut down/);
      await expect(made.subscribe(['item.*'], () => {})).rejects.toMatchObject(shut);
      expect(bench.broker.inspect().length).toBe(0);
    },
  );

  it.each([
    { sharedTransport: true, stored: true },
    { sharedTransport: true, stored: false },
    { sharedTransport: false, stored: true },
    { sharedTransport: false, stored: false },
  ])(
    'of its bus a publisher refuses what it could not get out, with %j',
    async ({ stored, ...said }) => {
      const made = bus(said);
      const publisher = bench.publisher({ bus: made, ...(stored ? {} : { store: undefined }) });
      await publisher.publish(graded);
      await settle();
      await made.shutdown();
      await expect(publisher.publish(graded)).rejects.toMatchObject(shut);
      await expect(publisher.publishBatch([graded])).rejects.toMatchObject(shut);
      await expect(publisher.connect()).rejects.toMatchObject(shut);
      expect((await bench.stored()).length).toBe(stored ? 1 : 0);
      expect(bench.broker.inspect().length).toBe(1);
      expect(bench.seen.of('publish-failed').length).toBe(2);
    },
  );

  it.each([true, false])('a publisher refuses more, with a store: %j', async (stored) => {
    const publisher = bench.publisher(stored ? {} : { store: undefined });
    await publisher.publish(graded);
    const ended = publisher.shutdown();
    await expect(publisher.publish(graded)).rejects.toMatchObject(shut);
    await expect(publisher.publishBatch([graded, graded])).rejects.toMatchObject(shut);
    await expect(publisher.publish(graded, { tx: null })).rejects.toMatchObject(shut);
    await expect(publisher.connect()).rejects.toMatchObject(shut);
    await ended;
    expect((await bench.outbox.status()).waiting).toBe(0);
    expect((await bench.stored()).length).toBe(stored ? 1 : 0);
  });

  it('lets handlers publish until they have ended', async () => {
    const made = bus({ sharedTransport: false });
    const slow = holding();
    await made.subscribe(['item.*'], async (event, context) => {
      await slow.handler(event, context);
      await made.publish(envelope({ id: 'late', type: 'order.late' }));
    });
    await made.start();
    bench.publish({ id: 'e1' });
    await until(() => slow.begun.length === 1, 'it began');
    const ended = made.shutdown({ deadlineMs: 60_000 });
    await settle();
    slow.release('e1');
    await ended;
    expect(made.unfinished).toEqual([]);
    expect(bench.broker.inspect().length).toBe(2);
  });

  it('of a publisher that its handlers still need, their events are left to another process', async () => {
    const publisher = bench.publisher();
    const group = bench.group();
    group.on(['item.*'], () => publisher.publish(graded).then(() => undefined), { inbox: true });
    await group.start();
    await publisher.shutdown();
    bench.publish({ id: 'e1' });
    await until(() => bench.seen.of('attempt-failed').length === 1, 'it was tried');
    expect(bench.seen.of('attempt-failed')).toMatchObject([
      { error: { code: 'STOPPING' }, willRetryInMs: 1_000 },
    ]);
    expect(await bench.stop(group)).toMatchObject([{ eventId: 'e1' }]);
    expect(await bench.deadLetters.list()).toEqual([]);
    expect(bench.pending()).toBe(1);
  });
});
