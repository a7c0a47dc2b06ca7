// Inputs 57 to 60: numbers out of their range, and addresses with a password in them.

import { IdempotencyHandler, openPostgres, PostgresEventStore } from '@quickwms/events';
import { describe, expect, it } from 'vitest';

import { answerTo, askers, client, ignore } from './support/askers.ts';
import { refusalOf } from './support/doors.ts';

const idempotency = new IdempotencyHandler({ database: client });
const notCounts = [-1, 1.5, Number.NaN, Infinity, '5'];
const notLengths = [-1, Number.NaN, '5', {}];
const beyondTimers = [2 ** 31, Infinity];

/** Asker, option, and values that it must refuse. */
const outOfRange: [keyof typeof askers, string, readonly unknown[]][] = [];
for (const asker of [
  'EventSubscriber',
  'consumers of MemoryEventBus',
  'consumers of PostgresEventBus',
  'consumers of RedisStreamEventBus',
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
  ['EventPublisher', 'relayPollMs', [...notLengths, 0, 5_001]],
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
  ['RedisStreamEventBus', 'maxRetries', [...notCounts, 101]],
  ['RedisStreamEventBus', 'retryDelayMs', [...notLengths, ...beyondTimers]],
  ['RedisDeadLetterQueue.list', 'limit', [...notCounts, 0, 1_001]],
  ['RedisIdempotencyStore.claim', 'claimMs', [...notLengths, 0, Infinity, 2 ** 53]],
  ['IdempotencyHandler on Redis', 'claimMs', [...notLengths, 0, 86_400_001, ...beyondTimers]],
);
for (const asker of ['RedisStreamEventBus', 'RedisStreamTransport']) {
  const dayMs = 86_400_000;
  outOfRange.push(
    [asker, 'maxStreamLength', [...notCounts, 0, 1_000_000_001]],
    [asker, 'lossyMaxStreamLength', [...notCounts, 0, 1_000_000_001]],
    [asker, 'claimMs', [...notCounts, 0, 99, dayMs + 1, ...beyondTimers]],
    [asker, 'reclaimEveryMs', [...notCounts, 0, dayMs + 1, ...beyondTimers]],
    [asker, 'blockMs', [...notCounts, 0, dayMs + 1, ...beyondTimers]],
    [asker, 'timeoutMs', [...notCounts, 0, ...beyondTimers]],
    [asker, 'trimEveryMs', [...notCounts, 0, ...beyondTimers]],
    [asker, 'forgetConsumerMs', [...notCounts, 0, 365 * dayMs + 1, Infinity]],
  );
}
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
    ['RedisStreamEventBus', 'timeoutMs'],
    ['RedisStreamTransport', 'trimEveryMs'],
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
