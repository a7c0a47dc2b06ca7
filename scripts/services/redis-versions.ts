import { join } from 'node:path';
import { fetchDebianPackages, unpackedCommand } from './fetch/debian-packages.ts';
import { fetchEmbeddedRedis } from './fetch/embedded-redis.ts';
import type { GuardedCommand } from './guarded-process.ts';

/**
 * A server that speaks the protocol of Redis: 7.0 is the one that everything runs on, 6.2 the oldest one
 * that is supported, 8.0 the newest one, and Valkey 8.1 their relative under another licence.
 */
export type RedisVersion = '7.0' | '6.2' | '8.0' | 'valkey';

/** What there is to know about one version. */
export interface RedisFacts {
  /** As a person calls it, as in "Redis 7.0". */
  readonly name: string;
  /** The environment variable that holds its URL. */
  readonly variable: string;
  /** Name of its program. */
  readonly program: string;
  /** What the program prints first when it is asked for its version. */
  readonly banner: string;
  /** Its service in compose.yaml, and the port there. */
  readonly compose: { readonly service: string; readonly port: number };
  readonly source: ServerSource;
}

/** Where binaries come from on a machine that has none. */
export interface ServerSource {
  /** Name of its folder in the cache. */
  readonly folder: string;
  /** Puts the binaries into an empty folder, and says so before it takes time. */
  fetch(folder: string, say: (line: string) => void): Promise<void>;
  /** What runs `program` once `folder` has it. */
  command(folder: string, program: string): GuardedCommand;
}

const jar: ServerSource = {
  folder: 'redis-6.2',
  fetch: fetchEmbeddedRedis,
  command: (folder, program) => [join(folder, program)],
};

const packagesOfDebian12 = { suite: 'bookworm', packages: ['redis-server'] };
const debian12: ServerSource = {
  folder: 'redis-7.0',
  fetch: (folder, say) => fetchDebianPackages(packagesOfDebian12, folder, say),
  command: unpackedCommand,
};

const packagesOfDebian13 = { suite: 'trixie', packages: ['redis-server', 'valkey-server'] };
const debian13: ServerSource = {
  folder: 'redis-8.0-valkey-8.1',
  fetch: (folder, say) => fetchDebianPackages(packagesOfDebian13, folder, say),
  command: unpackedCommand,
};

/** The facts about every version. */
export const redisVersions: Readonly<Record<RedisVersion, RedisFacts>> = {
  '7.0': {
    name: 'Redis 7.0',
    variable: 'REDIS_URL',
    program: 'redis-server',
    banner: 'Redis server v=7.0.',
    compose: { service: 'redis-7.0', port: 6379 },
    source: debian12,
  },
  '6.2': {
    name: 'Redis 6.2',
    variable: 'REDIS_62_URL',
    program: 'redis-server',
    banner: 'Redis server v=6.2.',
    compose: { service: 'redis-6.2', port: 6380 },
    source: jar,
  },
  '8.0': {
    name: 'Redis 8.0',
    variable: 'REDIS_80_URL',
    program: 'redis-server',
    banner: 'Redis server v=8.0.',
    compose: { service: 'redis-8.0', port: 6381 },
    source: debian13,
  },
  valkey: {
    name: 'Valkey 8.1',
    variable: 'VALKEY_URL',
    program: 'valkey-server',
    banner: 'Valkey server v=8.1.',
    compose: { service: 'valkey-8.1', port: 6382 },
    source: debian13,
  },
};

/** Tells whether `text` names a version, as `npm run services -- --redis` takes it. */
export function isRedisVersion(text: string): text is RedisVersion {
  return Object.hasOwn(redisVersions, text);
}
