import type { SqlClient } from '@quickwms/events';
import type { Redis } from 'ioredis';
import { InputError } from '../input/input-error.ts';

/** The streams of a run: keys on Redis that have their beginning in common. */
export interface RunStreams {
  readonly redisUrl: string;
  /** What their names begin with, the separator included. */
  readonly prefix: string;
}

/**
 * Makes sure that the streams, if there are any, hold events of the run in this database and of nothing
 * else: what a run consumes or removes must not be somebody else's.
 *
 * @throws {InputError} If they hold others, or Redis cannot be reached.
 */
export async function assertOwnStreams(streams: RunStreams, database: SqlClient): Promise<void> {
  await withRedis(streams, async (redis) => {
    const latest = await latestEvents(redis, await keysOf(redis, streams.prefix));
    const unknown = await unknownTo(database, latest);
    if (unknown.length === 0) return;
    throw new InputError(foreignMessage(streams.prefix, unknown[0]!));
  });
}

/**
 * Removes the streams of a run, and no key whose name begins differently.
 *
 * @throws {InputError} If they hold events of somebody else; nothing is removed then.
 */
export async function removeStreams(streams: RunStreams, database: SqlClient): Promise<void> {
  await assertOwnStreams(streams, database);
  await withRedis(streams, async (redis) => {
    const keys = await keysOf(redis, streams.prefix);
    if (keys.length > 0) await redis.unlink(keys);
  });
}

/** The youngest event of each stream; an event comes into a stream only when it is in the store. */
async function latestEvents(redis: Redis, keys: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const key of keys) {
    if ((await redis.type(key)) !== 'stream') continue;
    const [entry] = await redis.xrevrange(key, '+', '-', 'COUNT', 1);
    const fields = entry?.[1] ?? [];
    const at = fields.indexOf('id');
    if (entry) ids.push(fields[at + 1] ?? entry[0]);
  }
  return ids;
}

async function unknownTo(database: SqlClient, eventIds: readonly string[]): Promise<string[]> {
  const { rows } = await database.query<{ found: boolean }>(
    "SELECT to_regclass('event_store') IS NOT NULL AS found",
  );
  if (!rows[0]!.found) return [...eventIds];
  const known = await database.query<{ event_id: string }>(
    'SELECT event_id FROM event_store WHERE event_id = ANY($1::text[])',
    [eventIds],
  );
  const ours = new Set(known.rows.map((row) => row.event_id));
  return eventIds.filter((id) => !ours.has(id));
}

async function keysOf(redis: Redis, prefix: string): Promise<string[]> {
  const keys = new Set<string>();
  // No prefix that may be chosen has a wildcard in it; but what goes is asked once more.
  for await (const found of redis.scanStream({ match: `${prefix}*`, count: 1_000 })) {
    for (const key of found as string[]) if (key.startsWith(prefix)) keys.add(key);
  }
  return [...keys];
}

async function withRedis<T>(
  { redisUrl }: RunStreams,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const { Redis: Client } = await import('ioredis'); // a run in one process does without
  const redis = new Client(redisUrl, {
    lazyConnect: true,
    connectTimeout: 5_000,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
  });
  redis.on('error', () => {}); // the call that fails says why
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw new InputError(`Redis at REDIS_URL does not answer: ${(error as Error).message}`, {
      cause: error,
    });
  }
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

function foreignMessage(prefix: string, eventId: string): string {
  return (
    `the streams ${prefix}* on Redis hold events that are not of this run, such as ${eventId}. ` +
    `Choose other names with --streams, or remove them if nobody needs them: ` +
    `redis-cli --scan --pattern '${prefix}*' | xargs redis-cli UNLINK`
  );
}
