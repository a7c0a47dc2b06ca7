import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { raise, recording } from '../../test/handlers.ts';
import { schemaOf } from '../../test/schema.ts';
import { SubscriberBench } from '../../test/subscriber-bench.ts';
import { settle, until } from '../../test/until.ts';
import { Catalogue } from '../event/catalogue.ts';
import { defineEvent, defineEventPattern } from '../event/event-definition.ts';
import { Subscriber } from './subscriber.ts';

let bench: SubscriberBench;

beforeEach(() => {
  bench = new SubscriberBench();
});

afterEach(() => bench.end());

const withGrade = schemaOf((data) =>
  (data as { grade?: string }).grade ? data : [{ message: 'required', path: ['grade'] }],
);
const said = { description: 'An item', owner: 'grading' };
const catalogue = new Catalogue([
  defineEvent({ type: 'item.graded', ...said, schema: withGrade }),
  defineEvent({ type: 'item.received', ...said, schema: schemaOf((data) => data) }),
]);

describe('a subscriber', () => {
  it('handles what its patterns ask for, in the group of the service', async () => {
    const subscriber = bench.subscriber();
    const one = recording();
    const several = recording();
    subscriber
      .on('item.graded', one.handler)
      .on(['item.received', 'order.*'], several.handler)
      .on('bid.placed', () => expect.fail('handled'));
    await subscriber.start();
    bench.publish({ id: 'e1' }, { id: 'e2', type: 'item.received' }, { id: 'e3', type: 'order.x' });
    await bench.settled();
    expect({ one: one.handled, several: several.handled }).toEqual({
      one: ['e1'],
      several: ['e2', 'e3'],
    });
    expect(bench.broker.inspect().groups.map(({ name }) => name)).toEqual(['graders-group']);
  });

  it('consumes in the group that it is given, with what it was told of it', async () => {
    const { seen } = bench;
    const subscriber = bench.subscriber({ group: 'pricers', observer: seen.observe });
    subscriber.on('item.*', () => raise(new Error('no')), { retry: { maxRetries: 0 } });
    await subscriber.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(seen.of('dead-lettered')).toMatchObject([{ group: 'pricers', eventId: 'e1' }]);
  });

  it('keeps inbox and dead letters in one database', async () => {
    const bus = bench.bus({ consumers: { deadLetters: undefined } });
    const subscriber = bench.subscriber({ database: bench.stored, inbox: true }, bus);
    const transactions: unknown[] = [];
    subscriber.on('item.graded', (_event, { tx }) => void transactions.push(typeof tx));
    subscriber.on('item.graded', (_event, { tx }) => void transactions.push(typeof tx), {
      inbox: false,
    });
    subscriber.on('item.broken', () => raise(new Error('no')), { retry: { maxRetries: 0 } });
    await subscriber.start();
    bench.publish({ id: 'e1' }, { id: 'e2', type: 'item.broken' });
    await bench.settled();
    expect(transactions).toEqual(['object', 'undefined']);
    expect(await bench.deadLetters.list()).toMatchObject([{ eventId: 'e2' }]);
  });

  it('refuses an inbox without a database, a second set-up of one group, and unknown options', () => {
    const bus = bench.bus();
    const subscriber = bench.subscriber({}, bus);
    expect(() => subscriber.on('a.b', () => {}, { inbox: true })).toThrow(/needs a database/);
    expect(() => subscriber.on('a.b', () => {}, { timeout: 5 } as object)).toThrow(
      /unknown option/,
    );
    expect(() => bench.subscriber({ concurrency: 5 }, bus)).toThrow(/set up already/);
    expect(() => bench.subscriber({ concurency: 5 } as object)).toThrow(
      /unknown option concurency/,
    );
    expect(() => new Subscriber(undefined as never)).toThrow(TypeError);
  });

  it('takes no handler any more once it has started, wherever it belongs', async () => {
    const subscriber = bench.subscriber();
    subscriber.on('item.*', () => {});
    await subscriber.start();
    for (const broadcast of [false, true]) {
      expect(() => subscriber.on('a.b', () => {}, { broadcast })).toThrow(/^GROUP_RUNNING/);
    }
  });

  it('without a handler starts nothing, and may get one afterwards', async () => {
    const subscriber = bench.subscriber();
    await subscriber.start();
    expect(subscriber.isRunning()).toBe(false);
    subscriber.on('item.*', () => {});
    await subscriber.start();
    expect(subscriber.isRunning()).toBe(true);
  });
});

describe('a strict subscriber', () => {
  it('holds each event against the schema of its own type, and lets types pass that nobody has described', async () => {
    const { seen } = bench;
    const subscriber = bench.subscriber({ strict: true, catalogue, observer: seen.observe });
    const { handled, handler } = recording();
    subscriber.on(['item.*'], handler);
    await subscriber.start();
    bench.publish(
      { id: 'bad', data: {} },
      { id: 'good' },
      { id: 'other', type: 'item.received', data: {} },
      { id: 'unknown', type: 'item.weighed', data: {} },
    );
    await bench.settled();
    expect(handled).toEqual(['good', 'other', 'unknown']);
    expect(await bench.deadLetters.list()).toMatchObject([
      { eventId: 'bad', errorCode: 'PAYLOAD_INVALID' },
    ]);
    expect(seen.of('warning')).toMatchObject([
      { code: 'TYPE_NOT_IN_CATALOGUE', message: expect.stringContaining('gets item.weighed') },
    ]);
  });

  it.each([
    [
      'a misspelt type',
      ['item.recieved'],
      /item\.recieved is in no catalogue; did you mean item\.received\?/,
    ],
    ['one misspelt type of several', ['item.graded', 'item.grded'], /did you mean item\.graded\?/],
    [
      'a misspelt domain',
      ['itm.*'],
      /no type of the catalogue matches itm\.\*; did you mean item\.\*\?/,
    ],
    ['a misspelt end', ['*.recieved'], /did you mean \*\.received\?/],
    ['a type like no other', ['order.placed'], /order\.placed is in no catalogue; define it/],
  ])('refuses a handler of %s, for a broadcast, too', (_, patterns, message) => {
    const subscriber = bench.subscriber({ strict: true, catalogue });
    for (const broadcast of [false, true]) {
      expect(() => subscriber.on(patterns, () => {}, { broadcast })).toThrow(TypeError);
      expect(() => subscriber.on(patterns, () => {}, { broadcast })).toThrow(message);
    }
  });

  it('takes a handler of types that are known by a pattern, or by a schema of its own', () => {
    const sagas = defineEventPattern({ pattern: 'saga.*.started', ...said, schema: withGrade });
    const subscriber = bench.subscriber({ strict: true, catalogue: new Catalogue([sagas]) });
    subscriber
      .on(['saga.order.started', 'saga.order.*', '*.order.started', '*'], () => {})
      .on('item.graded', () => {}, { schema: catalogue })
      .on('partner.called', () => {}, { schema: schemaOf((data) => data) });
    for (const pattern of ['saga.order.ended', 'saga.started', 'sagas.*', '*.*.ended']) {
      expect(() => subscriber.on(pattern, () => {})).toThrow(/catalogue/);
    }
  });

  it("takes the bus's catalogue, and a handler's own schema before that", async () => {
    const subscriber = bench.subscriber({ strict: true }, bench.bus({ catalogue }));
    const { handled, handler } = recording();
    subscriber.on('item.graded', handler);
    subscriber.on('item.graded', handler, { schema: schemaOf((data) => data) });
    await subscriber.start();
    bench.publish({ id: 'e1', data: {} });
    await bench.settled();
    expect(handled).toEqual(['e1']);
  });

  it('holds broadcasts to the catalogue, too', async () => {
    const { seen } = bench;
    const subscriber = bench.subscriber({ strict: true, catalogue, observer: seen.observe });
    subscriber.on('item.graded', () => expect.fail('handled'), { broadcast: true });
    await subscriber.start();
    bench.publish({ id: 'e1', data: {} });
    await until(() => seen.of('broadcast-failed').length === 1, 'it failed');
  });

  it('holds types that are known by a pattern to the schema of the pattern', async () => {
    const sagas = defineEventPattern({ pattern: 'saga.*.started', ...said, schema: withGrade });
    const subscriber = bench.subscriber({ strict: true, catalogue: new Catalogue([sagas]) });
    const { handled, handler } = recording();
    subscriber.on('saga.*', handler);
    await subscriber.start();
    bench.publish({ id: 'bad', type: 'saga.Order.started', data: {} });
    bench.publish({ id: 'good', type: 'saga.Order.started' });
    await bench.settled();
    expect(handled).toEqual(['good']);
  });

  it('needs a catalogue', () => {
    expect(() => bench.subscriber({ strict: true })).toThrow(/needs a catalogue/);
  });
});

describe('a subscriber that is not strict', () => {
  it('warns once of each handler of types that its catalogue does not have', () => {
    const { seen } = bench;
    const subscriber = bench.subscriber({ catalogue, observer: seen.observe });
    subscriber
      .on(['item.recieved', 'item.graded'], () => {}, { name: 'receive' })
      .on('itm.*', () => {}, { broadcast: true })
      .on('partner.called', () => {}, { silence: ['HANDLER_TYPE_UNKNOWN'] })
      .on('item.*', () => {});
    expect(seen.of('warning')).toMatchObject([
      {
        code: 'HANDLER_TYPE_UNKNOWN',
        message: 'handler receive: item.recieved is in no catalogue; did you mean item.received?',
      },
      { code: 'HANDLER_TYPE_UNKNOWN', message: expect.stringContaining('did you mean item.*?') },
    ]);
  });

  it('says nothing where there is no catalogue to know of', () => {
    const { seen } = bench;
    bench.subscriber({ observer: seen.observe }).on('item.recieved', () => {});
    expect(seen.of('warning')).toEqual([]);
  });
});

describe('a broadcast', () => {
  it('reaches every instance, and a group one of them', async () => {
    const seen: string[] = [];
    for (const name of ['one', 'two']) {
      const subscriber = bench.subscriber();
      subscriber.on('item.*', () => void seen.push('group'));
      subscriber.on('item.*', () => void seen.push(name), { broadcast: true });
      await subscriber.start();
    }
    bench.publish({ id: 'e1' });
    await until(() => seen.length >= 3, 'all have it');
    await settle();
    expect(seen.toSorted()).toEqual(['group', 'one', 'two']);
  });

  it("has the subscriber's options, but nothing to remember in", async () => {
    const { seen } = bench;
    const subscriber = bench.subscriber({
      database: bench.stored,
      inbox: true,
      start: 'earliest',
      worker: 'dock-7',
      concurrency: 1,
      retry: { maxRetries: 1, baseDelayMs: 50, jitterFactor: 0 },
      observer: seen.observe,
    });
    let tries = 0;
    subscriber.on('item.*', (_event, { tx }) => raise(new Error(`${(tries += 1)} ${typeof tx}`)), {
      broadcast: true,
    });
    await subscriber.start();
    bench.publish({ id: 'e1' });
    await until(() => tries === 1, 'it was tried');
    await bench.clock.advance(50);
    await until(() => seen.of('broadcast-failed').length === 1, 'it failed');
    expect(seen.of('attempt-failed').map(({ error }) => (error as Error).message)).toEqual([
      expect.stringContaining('1 undefined'),
      expect.stringContaining('2 undefined'),
    ]);
    expect(await bench.deadLetters.list()).toEqual([]);
    expect(() => bench.subscriber().on('a.b', () => {}, { broadcast: true, inbox: true })).toThrow(
      /has no inbox/,
    );
  });
});
