import { EventError } from '@waybill/core';

import type { RedisConnectionOptions, RedisLike, RedisSource } from './redis-like.ts';

/** Makes another client of one server, with some options changed. */
export type RedisFactory = (override: object) => Promise<RedisLike>;

/**
 * Says how to make connections to what a user calls "Redis".
 *
 * @throws {TypeError} If it is neither a client, nor options, nor a URL, or cannot be used.
 */
export function redisFactory(source: RedisSource): RedisFactory {
  if (isRedisLike(source)) {
    assertUsable(source);
    return async (override) => source.duplicate(override);
  }
  const options = typeof source === 'string' ? parseUrl(source) : checked(source);
  return async (override) => {
    const { Redis } = await import('ioredis').catch(missingDriver);
    return new Redis({ ...options, ...override });
  };
}

function missingDriver(cause: unknown): never {
  throw new EventError(
    'CAPABILITY_MISSING',
    'options and URLs of Redis need the package ioredis: npm install ioredis',
    { transport: 'redis', capability: 'ioredis' },
    { cause },
  );
}

/** Says whether this is a client rather than options; by its shape, since there may be two copies of a library. */
export function isRedisLike(source: unknown): source is RedisLike {
  const client = source as Partial<RedisLike> | null;
  return (
    typeof client === 'object' &&
    client !== null &&
    typeof client.call === 'function' &&
    typeof client.duplicate === 'function'
  );
}

/** @throws {TypeError} If a client is set up in a way that names other keys than we do. */
export function assertUsable(client: RedisLike): void {
  if (client.isCluster) {
    throw new TypeError('redis: a cluster is not supported yet; give a client of one server');
  }
  if (client.options?.keyPrefix) {
    throw new TypeError(
      'redis: a client with a keyPrefix would name other streams than redis-cli shows; use streamPrefix instead',
    );
  }
}

/** Nothing that ends a part of a URL stands in its user and password, and nothing follows the database. */
const address = /^rediss?:\/\/(?:[^@/?#]*@)?[^@/?#]+(?:\/\d*)?$/i;

function parseUrl(text: string): RedisConnectionOptions {
  const url = address.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  // What is wrong with it is not repeated, because it may hold a password.
  if (!url || url.hostname === '') {
    throw new TypeError(
      'redis: the URL must read redis://user:password@host:port/db; in user and password, write @ as %40, / as %2F, ? as %3F, # as %23 and % as %25',
    );
  }
  const { hostname, port, username, password, pathname } = url;
  const db = pathname.length > 1 ? Number(pathname.slice(1)) : 0;
  return checked({
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 6379 : Number(port),
    ...(username === '' ? {} : { username: decoded(username) }),
    ...(password === '' ? {} : { password: decoded(password) }),
    db,
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new TypeError('redis: a "%" in the user or password of the URL must be written as "%25"');
  }
}

function checked(options: RedisConnectionOptions): RedisConnectionOptions {
  if (!isPlain(options)) {
    throw new TypeError('redis: give a client such as new Redis(), its options, or a URL');
  }
  // Options of the package "redis", which ioredis would pass over, and look for a server on this machine.
  const foreign = ['url', 'socket'].find((name) => name in options);
  if (foreign) {
    throw new TypeError(
      `redis: ioredis has no option ${foreign}; give { host, port }, or the URL itself`,
    );
  }
  const { host, port, db, keyPrefix } = options;
  if (host !== undefined && (typeof host !== 'string' || host === '' || /[\s/@]/.test(host))) {
    // Not repeated either: people put whole addresses here.
    throw new TypeError('redis: host must be the name of a host, and nothing but that');
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new TypeError(
      `redis: port must be a whole number from 1 to 65535, got ${shownNumber(port)}`,
    );
  }
  if (db !== undefined && !(Number.isInteger(db) && db >= 0)) {
    throw new TypeError(`redis: db must be a whole number from 0 on, got ${shownNumber(db)}`);
  }
  if (keyPrefix) {
    throw new TypeError(
      'redis: a keyPrefix would name other streams than redis-cli shows; use streamPrefix instead',
    );
  }
  return options;
}

/** What is no number is not shown: it may be another part of an address. */
function shownNumber(value: unknown): string {
  return typeof value === 'number' ? String(value) : `a ${typeof value}`;
}

/** Says whether this is a bag of options rather than a client of another library, or a promise of one. */
function isPlain(options: unknown): boolean {
  if (typeof options !== 'object' || options === null) return false;
  const prototype: unknown = Object.getPrototypeOf(options);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
