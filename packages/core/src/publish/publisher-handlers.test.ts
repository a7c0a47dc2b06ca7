import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PublisherBench } from '../../test/publisher-bench.ts';
import { settle, until } from '../../test/until.ts';
import type { EventEnvelope } from '../event/envelope.ts';
import type { Handler } from '../consume/handler.ts';
import { runInScope } from '../handler-scope.ts';
import type { Publisher } from './publisher.ts';

let bench: PublisherBench;
let publisher: Publisher;

beforeEach(() => {
  bench = new PublisherBench();
  publisher = bench.publisher();
});

afterEach(() => bench.end());

const priced = { type: 'item.priced', subject: 'item-1', data: { price: 7 } };

/** Handles one event with a handler of an inbox, until it is settled. */
async function handle(handler: Handler, said: Partial<EventEnvelope> = {}, inbox = true) {
  const group = bench.group();
  group.on(['item.graded'], handler, { inbox, name: 'grade', retry: { maxRetries: 1 } });
  await group.start();
  bench.publish({ id: 'cause', ...said });
  await settle();
  await bench.clock.advance(1_000);
  await bench.settled();
}

describe('what a handler publishes', () => {
  it('follows from its event: correlation, causation, user and trace', async () => {
    const trace = { traceparent: '00-aa-bb-01', tracestate: 'x=1' };
    await handle(
      async () => {
        await settle();
        await publisher.publish(priced);
        await publisher.publishBatch([priced]);
        await publisher.publish(priced, { tx: null }).catch(() => undefined);
      },
      { correlationId: 'order-7', userId: 'ada', ...trace },
    );
    const follows = { correlationId: 'order-7', causationId: 'cause', userId: 'ada', ...trace };
    expect(await bench.stored()).toMatchObject([follows, follows]);
  });

  it('has the id of its event for a correlation where that has none', async () => {
    await handle(async () => void (await publisher.publish(priced)));
    expect(await bench.stored()).toMatchObject([{ correlationId: 'cause', causationId: 'cause' }]);
  });

  it('says otherwise where it says so', async () => {
    const said = {
      correlationId: 'mine',
      causationId: 'none',
      userId: 'bob',
      traceparent: '00-cc-dd-01',
    };
    await handle(async () => void (await publisher.publish({ ...priced, ...said })), {
      userId: 'ada',
      traceparent: '00-aa-bb-01',
    });
    expect(await bench.stored()).toMatchObject([said]);
  });

  it('commits with its transaction, and is relayed at once', async () => {
    // Without hints the relay would find it at its next poll only.
    Object.defineProperty(bench.outbox, 'listen', { value: undefined });
    publisher.relay!.start();
    const publishedAt: number[] = [];
    bench.bus.on('published', () => publishedAt.push(bench.clock.now()));
    const startedAt = bench.clock.now();
    await handle(async () => {
      await publisher.publish(priced);
      expect((await bench.outbox.status()).waiting).toBe(0);
    });
    expect((await bench.stored()).length).toBe(1);
    const arrived = (await bench.arrived()).map(({ type }) => type);
    expect(arrived).toEqual(['item.graded', 'item.priced']);
    expect(publishedAt).toEqual([startedAt]);
  });

  it('leaves nothing of an attempt that failed', async () => {
    await handle(async (_, { attempt }) => {
      await publisher.publish({ ...priced, data: { attempt: attempt.number } });
      if (attempt.number === 1) throw new Error('after publishing');
    });
    expect((await bench.stored()).map(({ data }) => data)).toEqual([{ attempt: 2 }]);
    const arrived = (await bench.arrived()).filter(({ type }) => type === 'item.priced');
    expect(arrived.map(({ data }) => data)).toEqual([{ attempt: 2 }]);
  });

  it('stays out of its transaction with tx: null, and outlives its failure', async () => {
    const plain = bench.publisher({ store: undefined });
    await handle(async () => {
      await plain.publish(priced, { tx: null });
      throw new Error('after publishing');
    });
    const arrived = (await bench.arrived()).filter(({ type }) => type === 'item.priced');
    expect(arrived.length).toBe(2);
    expect(bench.seen.of('warning')).toEqual([]);
  });

  it('is warned of once where it cannot be taken back', async () => {
    const plain = bench.publisher({ store: undefined });
    await handle(async () => {
      await plain.publish(priced);
      await plain.publish(priced);
    });
    expect(bench.seen.of('warning').map(({ code }) => code)).toEqual(['NOT_DURABLE']);
  });

  it('belongs to it although it was not awaited', async () => {
    const append = bench.events.appendBatch.bind(bench.events);
    bench.events.appendBatch = (...args) => settle().then(() => append(...args));
    await handle(() => {
      for (let number = 0; number < 3; number += 1) void publisher.publish(priced);
    });
    expect((await bench.stored()).length).toBe(3);
    expect((await bench.outbox.status()).waiting + (await bench.arrived()).length).toBe(4);
    expect(bench.seen.of('attempt-failed')).toEqual([]);
  });

  it('is refused by name once it has ended', async () => {
    let late: Promise<unknown> = Promise.resolve();
    const ended = Promise.withResolvers<void>();
    await handle(() => {
      late = ended.promise.then(() => publisher.publish(priced)).catch((error: unknown) => error);
    });
    ended.resolve();
    expect(await late).toMatchObject({ code: 'TX_FINISHED' });
    expect(await bench.stored()).toEqual([]);
  });

  it('does not hide an error that nobody handles', async () => {
    const unhandled: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (error) => unhandled.push(error));
    try {
      const circle: unknown[] = [];
      circle.push(circle);
      await handle(() => void publisher.publish({ type: 'item.priced', data: circle }));
      await settle();
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
    expect(unhandled).toMatchObject([{ code: 'PAYLOAD_NOT_JSON' }]);
  });

  it('may be a lot', async () => {
    const count = 5_000;
    await handle(
      async () => {
        const all = Array.from({ length: count }, (_, number) =>
          publisher.publish({ type: 'item.priced', subject: `${number % 50}`, data: { number } }),
        );
        await Promise.all(all);
      },
      {},
      false,
    );
    await until(async () => (await bench.outbox.status()).waiting === 0, 'all are relayed');
    const batches = bench.seen.of('relayed').map((seen) => seen.count);
    expect(batches.reduce((sum, size) => sum + size, 0)).toBe(count);
    expect(Math.max(...batches)).toBeLessThanOrEqual(500);
    expect(await bench.events.getCount('item.priced')).toBe(count);
  });
});

describe('a relay that a handler happens to start', () => {
  it('does not inherit its transaction, which has ended when the relay goes on', async () => {
    await handle(async () => void (await publisher.publish(priced)));
    await publisher.publish({ ...priced, id: 'later' });
    await settle();
    await bench.clock.advance(1_000);
    expect(bench.seen.of('relay-failed')).toEqual([]);
    expect((await bench.arrived()).map(({ id }) => id)).toContain('later');
  });

  it('nor does the group commit', async () => {
    const tx = await bench.database.run(async (ended) => ended);
    const scope = {
      event: { id: 'cause' } as EventEnvelope,
      tx,
      afterCommit: () => {},
    };
    await runInScope(scope, async () => {
      await publisher.publish(priced, { tx: null });
      await expect(publisher.publish(priced)).rejects.toThrow(/^TX_FINISHED/);
    });
    expect((await bench.stored()).length).toBe(1);
  });
});
