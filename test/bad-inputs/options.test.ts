// Inputs 57 to 61 and 64: what a caller may ask for, and what is refused where it is said.

import * as events from '@quickwms/events';
import {
  createEvent,
  EventPublisher,
  EventSubscriber,
  executeWithRetry,
  IdempotencyHandler,
  MemoryEventBus,
  MemoryTransport,
  openPostgres,
  PostgresDeadLetterQueue,
  PostgresEventBus,
  PostgresEventStore,
  PostgresLogTransport,
} from '@quickwms/events';
import { afterAll, describe, expect, it } from 'vitest';

import { waitUntil } from '../../scripts/wait-until.ts';
import { refusalOf } from './support/doors.ts';

/** Nothing is sent before the first statement, and no statement is sent here. */
const client = openPostgres({ connectionString: 'postgres://nobody@localhost:1/nowhere' });
const bus = new MemoryEventBus({ serviceName: 'quickgradez' });
const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus: bus });
const store = new PostgresEventStore({ client });
const deadLetters = new PostgresDeadLetterQueue({ client });
const log = new PostgresLogTransport({ client });
const idempotency = new IdempotencyHandler({ database: client });
const event = createEvent('quickintakez', { type: 'item.received', data: {} });
const policy = { ...events.defaultRetryPolicies.messaging, maxRetries: 0 };
const serviceName = 'quickgradez';
const ignore = (): undefined => undefined;
let groups = 0;

/** Asks with some options, whatever the types say. */
type Ask = (options: object) => unknown;

const freshSubscriber: Ask = (options) =>
  new EventSubscriber(bus, { group: `group ${(groups += 1)}`, ...options });
const registered = (register: (to: EventSubscriber, options: object) => unknown): Ask => {
  return (options) => register(freshSubscriber({}) as EventSubscriber, options);
};

const constructors: Record<string, Ask> = {
  MemoryEventBus: (options) => new MemoryEventBus({ serviceName, ...options }),
  PostgresEventBus: (options) => new PostgresEventBus({ serviceName, client, ...options }),
  EventPublisher: (options) => new EventPublisher({ serviceName, eventBus: bus, ...options }),
  EventSubscriber: freshSubscriber,
  PostgresEventStore: (options) => new PostgresEventStore({ client, ...options }),
  PostgresDeadLetterQueue: (options) => new PostgresDeadLetterQueue({ client, ...options }),
  PostgresLogTransport: (options) => new PostgresLogTransport({ client, ...options }),
  MemoryTransport: (options) => new MemoryTransport(options),
  IdempotencyHandler: (options) => new IdempotencyHandler({ database: client, ...options }),
};

const calls: Record<string, Ask> = {
  openPostgres: (options) => openPostgres({ connectionString: 'postgres://host/db', ...options }),
  createEvent: (options) =>
    createEvent('quickintakez', { type: 'item.received', data: {} }, options),
  'executeWithRetry, its policy': (options) =>
    executeWithRetry(ignore, { ...policy, ...options }, { operationName: 'weigh' }),
  'executeWithRetry, its context': (options) =>
    executeWithRetry(ignore, policy, { operationName: 'weigh', ...options }),
  'EventPublisher.publish': (options) => publisher.publish(event, options),
  'EventPublisher.publishBatch': (options) => publisher.publishBatch([event], options),
  'EventPublisher.publishCorrelated': (options) =>
    publisher.publishCorrelated(event, event, options),
  'EventPublisher.publishItemEvent': (options) =>
    publisher.publishItemEvent('item.received', '123456789', 'item-1', {}, options),
  'EventPublisher.publishOrderEvent': (options) =>
    publisher.publishOrderEvent('order.created', 'order-1', {}, options),
  'EventSubscriber.on': registered((to, options) => to.on('item.received', ignore, options)),
  'EventSubscriber.on, its retry': registered((to, retry) =>
    to.on('item.received', ignore, { retry }),
  ),
  'EventSubscriber.onMultiple': registered((to, options) =>
    to.onMultiple(['item.received'], ignore, options),
  ),
  'EventSubscriber.onDomain': registered((to, options) => to.onDomain('item', ignore, options)),
  'EventSubscriber.on, broadcast': registered((to, options) =>
    to.on('item.received', ignore, { broadcast: true, ...options }),
  ),
  'EventSubscriber.stop': registered((to, options) => to.stop(options)),
  'MemoryEventBus.subscribe': (options) => bus.subscribe(['item.received'], ignore, options),
  'MemoryEventBus.consumers': (options) => bus.consumers(`group ${(groups += 1)}`, options),
  'MemoryEventBus.shutdown': (options) => new MemoryEventBus({ serviceName }).shutdown(options),
  'consumers of MemoryEventBus': (consumers) => new MemoryEventBus({ serviceName, consumers }),
  'consumers of PostgresEventBus': (consumers) =>
    new PostgresEventBus({ serviceName, client, consumers }),
  'PostgresEventStore.append': (options) => store.append(event, options),
  'PostgresEventStore.appendBatch': (options) => store.appendBatch([event], options),
  'PostgresEventStore.getBySubject': (options) => store.getBySubject('item-1', options),
  'PostgresEventStore.getByQlid': (options) => store.getByQlid('123456789', options),
  'PostgresEventStore.getByCorrelationId': (options) => store.getByCorrelationId('c-1', options),
  'PostgresEventStore.getByTimeRange': (options) =>
    store.getByTimeRange({ startTime: new Date(0), ...options }),
  'PostgresEventStore.readFrom': (options) => store.readFrom(null, options),
  'PostgresDeadLetterQueue.list': (options) => deadLetters.list(options),
  'PostgresLogTransport.prune': (options) => log.prune(options),
};

const askers = { ...constructors, ...calls };

/** What each of them answers to an option: the error, thrown or as a rejection. */
async function answerTo(asker: keyof typeof askers, options: object): Promise<unknown> {
  return await refusalOf(async () => askers[asker]!(options));
}

afterAll(() => client.close());

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
    expect(() => new IdempotencyHandler({} as never)).toThrow(
      /needs \{ database \} or \{ store \}/,
    );
    expect(() => new PostgresEventStore({ client, connectionString: 'postgres://h/d' })).toThrow(
      /needs one of/,
    );
  });
});

const notCounts = [-1, 1.5, Number.NaN, Infinity, '5'];
const notLengths = [-1, Number.NaN, '5', {}];
const beyondTimers = [2 ** 31, Infinity];

/** Asker, option, and values that it must refuse. */
const outOfRange: [keyof typeof askers, string, readonly unknown[]][] = [];
for (const asker of [
  'EventSubscriber',
  'consumers of MemoryEventBus',
  'consumers of PostgresEventBus',
]) {
  outOfRange.push(
    [asker, 'concurrency', [...notCounts, 0, 10_001]],
    [asker, 'maxInFlight', [...notCounts, 0, 1_000_001]],
    [asker, 'maxDeliveries', [...notCounts, 0, 1_001]],
    [asker, 'timeoutMs', [...notLengths, 0, ...beyondTimers]],
    [asker, 'slowMs', notLengths],
    [asker, 'redrivePollMs', [...notLengths, 0, 86_400_001, ...beyondTimers]],
    [asker, 'redriveLeaseMs', [...notLengths, 0, 86_400_001, ...beyondTimers]],
    [asker, 'start', ['first', 0, null]],
    [asker, 'retry', [{ maxRetries: -1 }, { jitterFactor: 2 }, { retries: 3 }]],
  );
}
outOfRange.push(['EventSubscriber.on', 'timeoutMs', [...notLengths, 0, ...beyondTimers]]);
for (const asker of ['EventSubscriber.on, its retry', 'executeWithRetry, its policy']) {
  outOfRange.push(
    [asker, 'maxRetries', [...notCounts, 101]],
    [asker, 'baseDelayMs', [...notLengths, ...beyondTimers]],
    [asker, 'maxDelayMs', [...notLengths, ...beyondTimers]],
    [asker, 'backoffMultiplier', [...notLengths, 0, 0.5, 101]],
    [asker, 'retryableErrors', ['ECONNRESET', [7], null]],
    [asker, 'nonRetryableErrors', ['ECONNRESET', [7], null]],
  );
}
outOfRange.push(
  ['PostgresEventBus', 'maxRetries', [...notCounts, 101]],
  ['PostgresEventBus', 'retryDelayMs', [...notLengths, ...beyondTimers]],
  ['EventPublisher', 'relayPollMs', [...notLengths, 0, 3_600_001]],
  ['IdempotencyHandler', 'claimMs', [...notLengths, 0, 86_400_001, ...beyondTimers]],
  ['openPostgres', 'maxConnections', [...notCounts, 0, 10_001]],
  ['openPostgres', 'connectTimeoutMs', [...notLengths, 0, ...beyondTimers]],
  ['EventSubscriber.stop', 'deadlineMs', notLengths],
  ['PostgresLogTransport.prune', 'olderThanMs', notLengths],
  ['PostgresLogTransport', 'leaseMs', [...notCounts, 0, ...beyondTimers]],
  ['PostgresLogTransport', 'maxAhead', [...notCounts, 0]],
  ['PostgresEventStore.getBySubject', 'limit', [...notCounts, 0, 10_001]],
  ['PostgresEventStore.getBySubject', 'order', ['DESC', 'oldest', 0, null]],
  ['PostgresEventStore.getByTimeRange', 'startTime', [undefined, '2026-01-01', new Date('x')]],
  ['PostgresEventStore.readFrom', 'limit', [...notCounts, 0, 10_001]],
  ['PostgresDeadLetterQueue.list', 'limit', [...notCounts, 0, 1_001]],
);
for (const option of ['pollMs', 'commitEveryMs', 'standbyMs', 'noticeEveryMs', 'pruneEveryMs']) {
  outOfRange.push(['PostgresLogTransport', option, [...notLengths, 0, ...beyondTimers]]);
}

describe('numbers', () => {
  it.each(outOfRange)(
    '57 refuses what is out of range for %s: %s',
    async (asker, option, values) => {
      for (const value of values) {
        const refusal = await answerTo(asker, { [option]: value });
        expect([value, refusal]).toEqual([value, expect.any(TypeError)]);
        expect(String(refusal)).toMatch(/must be|unknown option retries/);
      }
    },
  );

  it('57 refuses a time to live that is no length of time', async () => {
    for (const ttlSeconds of [...notLengths, 0, Infinity, 1e12]) {
      const refusal = await refusalOf(() =>
        idempotency.executeIdempotent('key', 'weigh', ignore, ttlSeconds as number),
      );
      expect([ttlSeconds, refusal]).toEqual([ttlSeconds, expect.any(TypeError)]);
      expect(String(refusal)).toMatch(/ttlSeconds must be a number from 1 to/);
    }
  });

  it.each(['EventSubscriber.on, its retry', 'executeWithRetry, its policy'] as const)(
    '58 refuses a jitter beyond 1 for %s',
    async (asker) => {
      for (const jitterFactor of [1.01, 30, -0.1, Number.NaN, '0.5']) {
        expect(String(await answerTo(asker, { jitterFactor }))).toMatch(
          /TypeError: .*jitterFactor must be a number from 0 to 1, got/,
        );
      }
    },
  );

  it.each([
    ['EventSubscriber', 'timeoutMs'],
    ['EventSubscriber.on', 'timeoutMs'],
    ['EventSubscriber.on, its retry', 'maxDelayMs'],
    ['openPostgres', 'connectTimeoutMs'],
    ['PostgresLogTransport', 'pollMs'],
    ['PostgresLogTransport', 'leaseMs'],
  ] as const)(
    '59 refuses 2^31 milliseconds, which Node would make one, for %s: %s',
    async (asker, option) => {
      expect(String(await answerTo(asker, { [option]: 2 ** 31 }))).toMatch(
        new RegExp(
          `TypeError: .*${option} must be a (?:whole )?number from \\d to 2147483647, got`,
        ),
      );
      await askers[asker]!({ [option]: 2 ** 31 - 1 });
    },
  );
});

describe('addresses', () => {
  it.each(['p@ss/w0rd', 'pass/w0rd', 'pass#w0rd', '1#w0rd', 'pass?w0rd'])(
    '60 refuses the password %s as it stands, without showing it',
    (password) => {
      const connectionString = `postgres://dock:${password}@localhost:1/wms`;
      for (const open of [
        () => openPostgres({ connectionString }),
        () => new PostgresEventStore({ connectionString }),
      ]) {
        expect(open).toThrow(TypeError);
        expect(open).toThrow(/write @ as %40, \/ as %2F/);
        expect(open).not.toThrow(/w0rd/);
      }
    },
  );

  it('60 does not show the password of a server that cannot be reached', async () => {
    const far = openPostgres({ connectionString: 'postgres://dock:p%40ss%2Fword@localhost:1/wms' });
    const refusal = await refusalOf(() => far.query('SELECT 1'));
    expect(refusal).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    expect(String(refusal)).not.toMatch(/ss.{1,3}word/);
    await far.close();
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
