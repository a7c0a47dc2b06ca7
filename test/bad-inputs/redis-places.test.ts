// Inputs 51, 57, 60 and 61 on Redis, as far as no server is needed to answer them.

import { Cluster, Redis } from 'ioredis';
import { afterAll, describe, expect, it } from 'vitest';

import { askers } from './support/askers.ts';
import { refusalOf } from './support/doors.ts';
import { RedisStreamEventBus } from '@quickwms/events';

/** Everything that is told where Redis is. */
const onRedis = [
  'RedisStreamEventBus',
  'RedisStreamTransport',
  'RedisDeadLetterQueue',
  'RedisIdempotencyStore',
  'IdempotencyHandler on Redis',
] as const;

/** Says that each of them refuses a place, before anything is opened. */
function expectRefusals(redis: unknown, says: RegExp): void {
  for (const asker of onRedis) {
    const make = (): unknown => askers[asker]!({ redis });
    expect(make, asker).toThrow(TypeError);
    expect(make, asker).toThrow(says);
  }
}

describe('places of Redis', () => {
  const clients = {
    cluster: new Cluster([{ host: 'nowhere.invalid' }], { lazyConnect: true }),
    prefixed: new Redis({ lazyConnect: true, keyPrefix: 'wms:' }),
  };
  afterAll(() => {
    for (const client of Object.values(clients)) client.disconnect();
  });

  it.each(['p@ss/w0rd', 'p@ssw0rd', 'pass/w0rd', 'pass#w0rd', '1#w0rd', '1/w0rd', 'pass?w0rd'])(
    '60 refuses the password %s as it stands, without showing it',
    (password) => {
      for (const url of [`redis://dock:${password}@localhost:1/0`, `rediss://:${password}@cache`]) {
        expectRefusals(url, /^(?!.*w0rd).*write @ as %40, \/ as %2F/);
      }
    },
  );

  it('60 refuses an address where a host is asked for, without showing it', () => {
    for (const host of ['redis://:p4ssw0rd@cache', 'dock:p4ssw0rd@cache', 'p4ssw0rd@cache/0']) {
      expectRefusals({ host }, /^(?!.*w0rd)redis: host must be/);
    }
    expectRefusals({ port: 'p4ssw0rd@cache' }, /^(?!.*w0rd)redis: port must be/);
    expectRefusals({ url: 'redis://:p4ssw0rd@cache' }, /^(?!.*w0rd)redis: .*no option url/);
  });

  it('60 does not show the password of a server that cannot be reached', async () => {
    const redis = 'redis://dock:p%40ss%2Fword@localhost:1';
    const bus = new RedisStreamEventBus({ redis, serviceName: 'quickgradez', timeoutMs: 50 });
    const refusal = await refusalOf(() => bus.connect());
    expect(refusal).toMatchObject({ code: 'TRANSPORT_UNAVAILABLE', retryable: true });
    expect(String(refusal)).not.toMatch(/ss.{1,3}word/);
    await bus.shutdown();
  });

  it.each([
    ['parseInt of nonsense', Number.parseInt('six', 10)],
    ['0', 0],
    ['-1', -1],
    ['half a port', 6379.5],
    ['65536', 65_536],
    ['a text', '6379'],
    ['null', null],
  ])('57 refuses %s as a port', (_, port) => {
    expectRefusals({ host: 'cache', port }, /redis: port must be a whole number from 1 to 65535/);
  });

  it.each([Number.NaN, -1, 0.5, '0', null])('57 refuses %s as a database', (db) => {
    expectRefusals({ host: 'cache', db }, /redis: db must be a whole number from 0 on/);
  });

  it.each(['', ' ', 'ca che', 7, null, []])('60 refuses %j as a host', (host) => {
    expectRefusals({ host }, /redis: host must be the name of a host/);
  });

  it.each(['', 'cache', 'cache:6379', 'http://cache', 'redis://', 'redis:///0', 'redis://c?db=1'])(
    '60 refuses %j as a URL',
    (url) => {
      expectRefusals(url, /redis: the URL must read redis:\/\/|needs .*\{ redis \}/);
    },
  );

  it.each([
    ['null', null],
    ['a number', 6379],
    ['a class', Redis],
    ['an array', ['cache']],
    ['a promise', Promise.resolve('redis://cache')],
    ['a set', new Set()],
  ])('61 refuses %s, which is no Redis', (_, redis) => {
    expectRefusals(redis, /redis: give a client .*, its options, or a URL|needs .*\{ redis \}/);
  });

  it('61 refuses the options of another client, with which this one would look on its own machine', () => {
    expectRefusals({ socket: { host: 'cache', port: 6379 } }, /ioredis has no option socket/);
  });

  it('61 refuses a client of a cluster', () => {
    expectRefusals(clients.cluster, /redis: a cluster is not supported yet/);
  });

  it('61 refuses a client, and options, that put something before the names of keys', () => {
    expectRefusals(clients.prefixed, /keyPrefix .*use streamPrefix instead/);
    expectRefusals({ keyPrefix: 'wms:' }, /keyPrefix .*use streamPrefix instead/);
  });

  it('61 refuses to do without a Redis', () => {
    expectRefusals(undefined, /redis: give a client|needs .*\{ redis \}/);
  });
});

describe('prefixes of names', () => {
  const withPrefix = [
    'RedisStreamEventBus',
    'RedisStreamTransport',
    'RedisDeadLetterQueue',
  ] as const;

  it.each([
    '{wms}:',
    'w{m}s:',
    'w ms:',
    ' wms:',
    'wms*',
    'w?ms:',
    '[wms]',
    'w\\ms',
    '"wms":',
    `w's:`,
  ])(
    '51 refuses the prefix %j, which shells, patterns and clusters take for something else',
    (streamPrefix) => {
      for (const asker of withPrefix) {
        const make = (): unknown => askers[asker]!({ streamPrefix });
        expect(make, asker).toThrow(TypeError);
        expect(make, asker).toThrow(/^streamPrefix must have no space, quote, brace/);
      }
    },
  );

  it.each(['', 'x'.repeat(256), 'a\nb', 'a\0b', 'a\r\nFLUSHALL\r\n', 'a\ud800', 7, null, {}])(
    '51 refuses the prefix %j, which is no text of 1 to 255 characters',
    (prefix) => {
      for (const asker of withPrefix) {
        expect(() => askers[asker]!({ streamPrefix: prefix }), asker).toThrow(TypeError);
      }
      for (const asker of ['RedisIdempotencyStore', 'IdempotencyHandler on Redis'] as const) {
        expect(() => askers[asker]!({ keyPrefix: prefix }), asker).toThrow(TypeError);
      }
    },
  );
});
