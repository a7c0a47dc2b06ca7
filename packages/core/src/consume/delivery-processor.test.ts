import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { envelope } from '../../test/envelope.ts';
import { holding, recording } from '../../test/handlers.ts';
import { schemaOf } from '../../test/schema.ts';
import { settle, until } from '../../test/until.ts';
import { Catalogue } from '../event/catalogue.ts';
import { defineEvent } from '../event/event-definition.ts';
import { EventError } from '../errors.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

describe('a message', () => {
  it('that cannot be read becomes a dead letter with its bytes, and the next one flows', async () => {
    const group = bench.group();
    const { handled, handler } = recording();
    group.on(['item.*'], handler);
    await group.start();
    const body = new Uint8Array([0xff, 0x00, 0x7b]);
    bench.publishRaw({ body, key: 'k' });
    bench.publish({ id: 'e1', subject: 'k' });
    await bench.settled();
    expect(handled).toEqual(['e1']);
    expect(await bench.deadLetters.list()).toMatchObject([
      {
        handler: '',
        message: { body, contentType: 'text/plain', key: 'k' },
        errorCode: 'MESSAGE_UNPARSEABLE',
        failureType: 'permanent',
        coordinates: { transport: 'memory', stream: 'memory', position: '0' },
      },
    ]);
  });

  it('whose type its transport could not tell is read all the same, never dropped', async () => {
    const group = bench.group();
    const { handled, handler } = recording();
    group.on(['item.graded'], handler);
    await group.start();
    bench.publishRaw({ type: '', body: JSON.stringify(envelope({ id: 'e1' })) });
    bench.publishRaw({ type: '', body: '{' });
    bench.publishRaw({ type: '', body: JSON.stringify(envelope({ id: 'e2', type: 'lot.sold' })) });
    await bench.settled();
    expect(handled).toEqual(['e1']);
    expect((await bench.deadLetters.list()).map(({ errorCode }) => errorCode)).toEqual([
      'MESSAGE_UNPARSEABLE',
    ]);
    expect(bench.seen.of('unhandled-type').map(({ eventType }) => eventType)).toEqual(['lot.sold']);
  });

  it('of a type that no handler wants is settled and counted', async () => {
    const group = bench.group();
    group.on(['item.*'], () => expect.fail('not its type'));
    await group.start();
    bench.publish({ id: 'e1', type: 'lot.sold' });
    await bench.settled();
    expect(bench.seen.of('unhandled-type')).toMatchObject([
      { kind: 'unhandled-type', group: 'graders', eventType: 'lot.sold' },
    ]);
  });

  it('of an older version is brought up to date, or is a dead letter if that fails', async () => {
    const graded = defineEvent({
      type: 'item.graded',
      version: 2,
      description: 'An item got its grade',
      owner: 'quickgradez',
      schema: schemaOf((data) => data as { grade: string }),
      upcasters: {
        1: (data) => {
          const { mark } = data as { mark: string };
          if (!mark) throw new Error('no mark');
          return { grade: mark };
        },
      },
    });
    const group = bench.group({ catalogue: new Catalogue([graded]) });
    const seen: unknown[] = [];
    group.on(['item.graded'], ({ data, version }) => void seen.push({ data, version }));
    await group.start();
    bench.publish({ id: 'e1', data: { mark: 'B' } }, { id: 'e2', data: {} });
    await bench.settled();
    expect(seen).toEqual([{ data: { grade: 'B' }, version: 2 }]);
    expect(await bench.deadLetters.list()).toMatchObject([{ errorCode: 'PAYLOAD_INVALID' }]);
  });

  it("that breaks the handler's schema is a dead letter at once", async () => {
    const group = bench.group();
    const schema = schemaOf(() => [{ message: 'wrong', path: ['grade'] }]);
    group.on(['item.*'], () => expect.fail('handled'), { schema });
    await group.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(await bench.deadLetters.list()).toMatchObject([
      { errorCode: 'PAYLOAD_INVALID', failureReason: expect.stringContaining('data.grade: wrong') },
    ]);
    expect(bench.seen.of('attempt-failed')).toMatchObject([{ willRetryInMs: null }]);
  });
});

describe('a dead-letter queue that is away', () => {
  it('holds the message back until it is there again', async () => {
    const group = bench.group();
    const add = bench.deadLetters.add.bind(bench.deadLetters);
    bench.deadLetters.add = () => Promise.reject(new EventError('STORE_UNAVAILABLE', 'away', {}));
    group.on(['item.*'], () => Promise.reject(new Error('no')), { retry: { maxRetries: 0 } });
    await group.start();
    bench.publish({ id: 'e1' });
    await settle();
    await bench.clock.advance(20_000);
    expect(group.health()).toEqual({
      status: 'degraded',
      reasons: ['dead letters cannot be stored or looked up, since 2026-01-01T00:00:00.000Z'],
    });
    expect(bench.pending()).toBe(1);
    bench.deadLetters.add = add;
    await bench.clock.advance(5_000);
    await bench.settled();
    expect((await bench.deadLetters.list()).length).toBe(1);
    expect(group.health().status).toBe('ok');
  });

  it('leaves the message to the next worker when the group is stopped meanwhile', async () => {
    const group = bench.group();
    const add = bench.deadLetters.add.bind(bench.deadLetters);
    bench.deadLetters.add = () => Promise.reject(new EventError('STORE_UNAVAILABLE', 'away', {}));
    group.on(['item.*'], () => Promise.reject(new Error('no')), { retry: { maxRetries: 0 } });
    await group.start();
    bench.publish({ id: 'e1' });
    await settle();
    expect((await bench.stop(group, 1_000)).length).toBe(1);
    expect(bench.pending()).toBe(1);
    bench.deadLetters.add = add;
    const next = bench.group();
    const { handled, handler } = recording();
    next.on(['item.*'], handler);
    await next.start();
    await bench.settled();
    expect(handled).toEqual(['e1']);
  });
});

describe('deliveries that come again', () => {
  it('are settled when the dead letter was written before the crash', async () => {
    const first = bench.group();
    const slow = holding();
    const add = bench.deadLetters.add.bind(bench.deadLetters);
    // The process dies between the row and the settlement.
    bench.deadLetters.add = async (...args) => {
      const id = await add(...args);
      await slow.handler(envelope({ id: 'row' }), {} as never);
      return id;
    };
    first.on(['item.*'], () => Promise.reject(new Error('no')), {
      name: 'grade',
      retry: { maxRetries: 0 },
    });
    await first.start();
    bench.publish({ id: 'e1' });
    await until(() => slow.begun.includes('row'), 'the row is there');
    await bench.stop(first);
    const next = bench.group();
    next.on(['item.*'], () => expect.fail('handled again'), { name: 'grade' });
    await next.start();
    await bench.settled();
    expect(bench.seen.of('dead-letter-known')).toMatchObject([{ handler: 'grade', eventId: 'e1' }]);
    expect((await bench.deadLetters.list()).map(({ totalAttempts }) => totalAttempts)).toEqual([1]);
  });

  it('end as a dead letter when nobody ever finishes them', async () => {
    bench.publish({ id: 'killer', subject: 'a' }, { id: 'e1', subject: 'b' });
    let kills = 0;
    for (let restart = 0; restart < 8; restart += 1) {
      const group = bench.group({ maxDeliveries: 3 });
      group.on(
        ['item.*'],
        ({ id }) => {
          if (id !== 'killer') return;
          kills += 1;
          return new Promise<void>(() => {});
        },
        { name: 'grade' },
      );
      await group.start();
      await settle();
      await bench.stop(group);
    }
    expect(kills).toBe(3);
    expect(bench.pending()).toBe(0);
    expect(await bench.deadLetters.list()).toMatchObject([
      { eventId: 'killer', errorCode: 'DELIVERIES_EXCEEDED', totalAttempts: 4 },
    ]);
  });

  it('show which delivery it is', async () => {
    const deliveries: unknown[] = [];
    for (let restart = 0; restart < 2; restart += 1) {
      const group = bench.group();
      group.on(['item.*'], (_, { attempt }) => {
        deliveries.push(attempt);
        return new Promise<void>(() => {});
      });
      await group.start();
      if (restart === 0) bench.publish({ id: 'e1' });
      await until(() => deliveries.length === restart + 1, 'it is handled');
      await bench.stop(group);
    }
    expect(deliveries).toEqual([
      { number: 1, delivery: 1 },
      { number: 1, delivery: 2 },
    ]);
  });
});
