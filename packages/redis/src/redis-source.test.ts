import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';

import type { RedisLike } from './redis-like.ts';
import { assertUsable, isRedisLike, redisFactory } from './redis-source.ts';

const secret = 'hunter2';
const opened: { disconnect(): void }[] = [];
afterEach(() => {
  for (const client of opened.splice(0)) client.disconnect();
});

/** Notes a client that must not stay open. Nothing is sent by one that is lazy. */
function lazy<Client extends { disconnect(): void }>(client: Client): Client {
  opened.push(client);
  return client;
}

/** What the client that is made of a source is set up with. */
async function optionsOf(source: Parameters<typeof redisFactory>[0]): Promise<RedisOptions> {
  const client = lazy(await redisFactory(source)({ lazyConnect: true }));
  return client.options as RedisOptions;
}

/** A source of any type. */
const refuse = (source: unknown) => () => redisFactory(source as string);

describe('what a user calls "Redis"', () => {
  it.each([
    ['redis://cache', { host: 'cache', port: 6379, db: 0 }],
    ['redis://cache/', { host: 'cache', port: 6379, db: 0 }],
    ['REDIS://cache:6380/3', { host: 'cache', port: 6380, db: 3 }],
    ['redis://[::1]:6380', { host: '::1', port: 6380 }],
    ['redis://:hunter2@cache', { host: 'cache', username: null, password: secret }],
    ['redis://dock:hunter2@cache', { host: 'cache', username: 'dock', password: secret }],
    ['redis://dock@cache', { host: 'cache', username: 'dock', password: null }],
    ['rediss://cache', { host: 'cache', tls: {} }],
    [
      'redis://d%40ck:p%40ss%2Fw%23r%3Fd%25%3A%20%C3%BC@cache',
      { host: 'cache', username: 'd@ck', password: 'p@ss/w#r?d%: ü' },
    ],
  ])('may be the URL %s', async (url, expected) => {
    expect(await optionsOf(url)).toMatchObject(expected);
  });

  it.each([
    '',
    'cache:6379',
    'cache',
    'http://cache',
    'redis:',
    'redis://',
    'redis:///3',
    'redis://dock@',
    'redis://cache:port',
    'redis://cache:0',
    'redis://cache:65536',
    'redis://cache/three',
    'redis://cache/3/4',
    'redis://cache/-1',
    'redis://cache?db=3',
    'redis://cache#3',
    'redis://ca che',
    ' redis://cache',
  ])('is no URL like %j', (url) => {
    expect(refuse(url)).toThrow(TypeError);
    expect(refuse(url)).toThrow(/^redis: /);
  });

  it.each([
    'hunt/er2',
    'hunt#er2',
    'hunt?er2',
    'hunt@er2',
    '1/er2',
    '1#er2',
    '1?er2',
    '/er2',
    'er2%',
    'er2%zz',
    'h@#er2',
  ])(
    'is no URL with the password %s as it stands, and the refusal does not show it',
    (password) => {
      for (const url of [`redis://dock:${password}@cache:6379/0`, `redis://:${password}@cache`]) {
        expect(refuse(url)).toThrow(TypeError);
        expect(refuse(url)).toThrow(/write @ as %40, \/ as %2F|"%" in the user or password/);
        expect(refuse(url)).not.toThrow(/er2/);
      }
    },
  );

  it('may be options of ioredis, whatever else they hold', async () => {
    const options = { host: 'cache', port: 6380, db: 2, password: secret, keepAlive: 5 };
    expect(await optionsOf(options)).toMatchObject(options);
    expect(await optionsOf({})).toMatchObject({ host: 'localhost', port: 6379, db: 0 });
    expect(await optionsOf({ path: '/run/redis.sock' })).toMatchObject({ path: '/run/redis.sock' });
  });

  it('may be options that say nothing of what is not set', async () => {
    const unset = { host: undefined, port: undefined, password: undefined } as never;
    const places = { host: 'localhost', port: 6379, password: null };
    expect(await optionsOf(unset)).toMatchObject(places);
  });

  it.each([
    ['an empty host', { host: '' }, /host must be/],
    ['a host with a space', { host: 'ca che' }, /host must be/],
    ['a host that is a number', { host: 7 }, /host must be/],
    ['a host that is null', { host: null }, /host must be/],
    ['a port that is no number', { port: Number.NaN }, /port must be .*, got NaN/],
    ['a port of 0', { port: 0 }, /port must be .*, got 0/],
    ['a port of 65536', { port: 65_536 }, /port must be .*, got 65536/],
    ['a port that is text', { port: '6379' }, /port must be .*, got a string/],
    ['half a database', { db: 0.5 }, /db must be .*, got 0.5/],
    ['a database below 0', { db: -1 }, /db must be .*, got -1/],
    ['a database that is text', { db: '0' }, /db must be .*, got a string/],
    ['a prefix of keys', { keyPrefix: 'wms:' }, /use streamPrefix instead/],
    ['the URL in an option', { url: 'redis://cache' }, /ioredis has no option url/],
    ['the options of another library', { socket: { host: 'cache' } }, /has no option socket/],
  ])('is not options with %s', (_, options, says) => {
    expect(refuse(options)).toThrow(TypeError);
    expect(refuse(options)).toThrow(says);
  });

  it('is not options with an address for a host or a port, and the refusal does not show it', () => {
    for (const host of [`redis://:${secret}@cache`, `dock:${secret}@cache`, `${secret}@cache/0`]) {
      expect(refuse({ host })).toThrow(/host must be the name of a host/);
      expect(refuse({ host })).not.toThrow(new RegExp(secret));
    }
    const port = `${secret}@cache` as never;
    expect(refuse({ port })).toThrow(/port must be/);
    expect(refuse({ port })).not.toThrow(new RegExp(secret));
  });

  class OtherClient {
    readonly isOpen = true;
    sendCommand(): void {}
    duplicate(): OtherClient {
      return this;
    }
  }
  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a number', 6379],
    ['a function', () => undefined],
    ['the class itself', Redis],
    ['an array', []],
    ['a promise', Promise.resolve({ host: 'cache' })],
    ['a client of another library', new OtherClient()],
    ['a URL object', new URL('redis://cache')],
  ])('is not %s', (_, source) => {
    expect(refuse(source)).toThrow(TypeError);
    expect(refuse(source)).toThrow(/give a client such as new Redis\(\), its options, or a URL/);
  });

  it('may be a client, of which others are made', async () => {
    const client = lazy(new Redis({ lazyConnect: true, host: 'cache', password: secret }));
    const other = await optionsOf(client);
    expect(other).toMatchObject({ host: 'cache', password: secret, lazyConnect: true });
    expect(other).not.toBe(client.options);
    expect(client.status).toBe('wait');
  });

  it('is told from options by its shape', () => {
    const { call, duplicate } = lazy(new Redis({ lazyConnect: true }));
    expect(isRedisLike({ call, duplicate })).toBe(true);
    for (const other of [{ call }, { duplicate }, {}, null, undefined, 'redis://cache'])
      expect(isRedisLike(other)).toBe(false);
  });

  it('is no client of a cluster', () => {
    const cluster = lazy(new Cluster([{ host: 'cache' }], { lazyConnect: true }));
    expect(refuse(cluster)).toThrow(TypeError);
    expect(refuse(cluster)).toThrow(/a cluster is not supported yet; give a client of one server/);
  });

  it('is no client that puts something before the names of keys', () => {
    const client = lazy(new Redis({ lazyConnect: true, keyPrefix: 'wms:' }));
    expect(refuse(client)).toThrow(/keyPrefix .* use streamPrefix instead/);
    expect(() => assertUsable(client as RedisLike)).toThrow(TypeError);
  });
});
