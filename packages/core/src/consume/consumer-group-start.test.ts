import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { recording } from '../../test/handlers.ts';
import { settle } from '../../test/until.ts';
import { EventError } from '../errors.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';
import type { ConsumerGroup } from './consumer-group.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

const away = new EventError('TRANSPORT_UNAVAILABLE', 'the broker is away', { transport: 'memory' });
const refused = new EventError('ACCESS_REFUSED', 'wrong password', {
  server: 'test',
  refusal: 'WRONGPASS',
});

/** A start, and what became of it; the broker and the database answer what the test says. */
function starting() {
  const answers: { broker?: Error | undefined; database?: Error | undefined } = {};
  const transport = new MemoryTransport({ broker: bench.broker });
  const connect = transport.connect.bind(transport);
  transport.connect = () => (answers.broker ? Promise.reject(answers.broker) : connect());
  const { handled, handler } = recording();
  const group: ConsumerGroup = bench.group({
    transport,
    transactions: {
      run: (work) =>
        answers.database
          ? Promise.reject(answers.database)
          : bench.database.run((tx) => work(tx as never)),
    },
  });
  group.on(['item.*'], handler);
  const begin = (): Promise<unknown> => group.start().catch((error: unknown) => error);
  return { answers, group, handled, begin };
}

describe('the first start of a group', () => {
  it.each(['broker', 'database'] as const)(
    'waits for a %s that is away, with one warning and a red health, and then goes on',
    async (what) => {
      const { answers, group, handled, begin } = starting();
      answers[what] = away;
      const started = begin();
      await settle();
      await bench.clock.advance(600_000);
      expect(group.health().reasons).toEqual([expect.stringContaining('the broker is away')]);
      expect(bench.seen.of('trouble').length).toBe(1);
      answers[what] = undefined;
      await bench.clock.advance(2_000);
      expect(await started).toBeUndefined();
      expect(group.health()).toEqual({ status: 'ok', reasons: [] });
      expect(bench.seen.of('recovered').length).toBe(1);
      bench.publish({ id: 'e1' });
      await bench.settled();
      expect(handled).toEqual(['e1']);
    },
  );

  it.each(['broker', 'database'] as const)(
    'is refused by name at once where the %s refuses its user, also after it was away',
    async (what) => {
      const { answers, group, begin } = starting();
      answers[what] = refused;
      expect(await begin()).toBe(refused);
      answers[what] = away;
      const later = begin();
      await settle();
      answers[what] = refused;
      await bench.clock.advance(2_000);
      expect(await later).toBe(refused);
      expect(group.health()).toEqual({ status: 'ok', reasons: [] });
      expect(group.running).toBe(false);
      expect(bench.seen.of('recovered')).toEqual([]);
    },
  );

  it('says so when it gets no answer at all', async () => {
    const transport = new MemoryTransport();
    transport.connect = () => new Promise<void>(() => {});
    const group = bench.group({ transport });
    group.on(['item.*'], () => {});
    void group.start().catch(() => {});
    await settle();
    await bench.clock.advance(8_000);
    expect(group.health().reasons).toEqual([expect.stringContaining('memory has not answered')]);
  });

  it('is given up by a stop, which waits for no server', async () => {
    const { answers, group, begin } = starting();
    answers.broker = away;
    const started = begin();
    await settle();
    expect(await group.stop({ deadlineMs: 1_000 })).toEqual([]);
    expect(await started).toMatchObject({ code: 'STOPPING' });
    expect(group.health()).toEqual({ status: 'ok', reasons: [] });
  });
});

describe('a group whose concurrency is changed while it subscribes', () => {
  it('may have as much in hand as that asks for', async () => {
    const transport = new MemoryTransport({ broker: bench.broker });
    const subscribe = transport.subscribe.bind(transport);
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    transport.subscribe = async (...subscription) => {
      const consumer = await subscribe(...subscription);
      await answered;
      return consumer;
    };
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const begun: string[] = [];
    const group = bench.group({ transport, concurrency: 1 });
    group.on(['item.*'], async ({ id }) => {
      begun.push(id);
      await held;
    });
    const started = group.start();
    await settle();
    group.setConcurrency(20);
    answer();
    await started;
    bench.publish(...Array.from({ length: 20 }, (_, number) => ({ id: `e${number}` })));
    await settle();
    expect(begun).toHaveLength(20);
    release();
    await bench.settled();
  });
});
