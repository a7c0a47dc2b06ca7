// Inputs 61 and 64: options that nobody knows, and two subscribers that want one group.

import * as events from '@quickwms/events';
import {
  EventPublisher,
  EventSubscriber,
  IdempotencyHandler,
  MemoryEventBus,
  PostgresEventStore,
} from '@quickwms/events';
import { describe, expect, it } from 'vitest';

import { waitUntil } from '../../scripts/wait-until.ts';
import {
  answerTo,
  askers,
  bus,
  client,
  constructors,
  freshSubscriber,
  ignore,
  serviceName,
} from './support/askers.ts';
import { refusalOf } from './support/doors.ts';

describe('options', () => {
  it.each(Object.keys(askers))('61 refuses an option that %s does not know', async (asker) => {
    const refusal = await answerTo(asker, { timeOut: 5 });
    expect(refusal).toBeInstanceOf(TypeError);
    expect(String(refusal)).toMatch(/unknown option timeOut; known are \w+/);
  });

  it('61 asks every class that is exported', () => {
    const classes = Object.entries(events)
      .filter(([, value]) => typeof value === 'function' && /^class\b/.test(String(value)))
      .map(([name]) => name);
    expect(Object.keys(constructors).toSorted()).toEqual(
      classes.filter((name) => name !== 'EventError').toSorted(),
    );
  });

  it('61 refuses a transaction that is not given as { tx }', async () => {
    const tx = { query: async () => ({ rows: [], rowCount: 0 }), finished: false };
    for (const asker of ['EventPublisher.publish', 'PostgresEventStore.append'] as const) {
      expect(await answerTo(asker, tx)).toMatchObject({
        name: 'TypeError',
        message: expect.stringContaining('give the transaction as { tx }'),
      });
    }
  });

  it('61 refuses a schema without a database, and a store beside one', () => {
    expect(() => freshSubscriber({ schemaName: 'dock' })).toThrow(/give \{ database \} too/);
    const both = { store: {} as never, database: client };
    expect(() => new IdempotencyHandler(both)).toThrow(/not both/);
    const alsoRedis = { redis: 'redis://localhost', database: client };
    expect(() => new IdempotencyHandler(alsoRedis)).toThrow(/not both/);
    expect(() => new IdempotencyHandler({} as never)).toThrow(
      /needs \{ database \} or \{ store \}/,
    );
    expect(() => new PostgresEventStore({ client, connectionString: 'postgres://h/d' })).toThrow(
      /needs one of/,
    );
  });
});

describe('two subscribers', () => {
  it('64 refuses two handlers of one name in a group', () => {
    const first = new EventSubscriber(bus, { group: 'two of a name' });
    const second = new EventSubscriber(bus, { group: 'two of a name' });
    first.on('item.received', ignore, { name: 'shelve' });
    expect(() => second.on('item.graded', () => undefined, { name: 'shelve' })).toThrow(
      /handler name shelve is taken in this group; names must differ/,
    );
  });

  it('64 refuses a second subscriber that wants its group otherwise', () => {
    const first = new EventSubscriber(bus, { group: 'set up once', concurrency: 1 });
    expect(first.isRunning()).toBe(false);
    expect(() => new EventSubscriber(bus, { group: 'set up once', concurrency: 2 })).toThrow(
      /is set up already on this bus; give its options to the first subscriber/,
    );
  });

  it('64 refuses the handler of a second subscriber once the group runs', async () => {
    const own = new MemoryEventBus({ serviceName });
    const first = new EventSubscriber(own).on('item.received', ignore);
    await first.start();
    expect(
      await refusalOf(async () => new EventSubscriber(own).on('bid.placed', ignore)),
    ).toMatchObject({
      code: 'GROUP_RUNNING',
      details: { group: 'quickgradez-group' },
    });
    await own.shutdown();
  });

  it('64 gives handlers without a name different ones, and each of them the event', async () => {
    const own = new MemoryEventBus({ serviceName });
    const names: string[] = [];
    for (const subscriber of [new EventSubscriber(own), new EventSubscriber(own)]) {
      subscriber.on('item.received', (_event, { handler }) => void names.push(handler));
    }
    await own.start();
    await new EventPublisher({ serviceName, eventBus: own }).publish({
      type: 'item.received',
      data: {},
    });
    await waitUntil('both have it', () => names.length === 2);
    await own.shutdown();
    expect(names).toEqual(['item.received', 'item.received#2']);
  });
});
