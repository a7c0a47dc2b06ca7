import type {
  GroupRegistry,
  HandlerSet,
  KnownHandlerSet,
  RegistryCopy,
} from '@waybill/core/adapter';
import { isEventError, randomIds } from '@waybill/core';

import type { RedisCaller } from './redis-caller.ts';
import { replyCodeOf } from './redis-errors.ts';
import { RedisScript } from './redis-script.ts';
import { runScript } from './run-script.ts';
import type { StreamNames } from './stream-names.ts';

// The hash of a group has `version` and `owner`, and for each set `set:<id>`, its JSON, which no script looks
// into; `worker:<id>`; `first:<id>` and `seen:<id>`, in milliseconds since the epoch.

const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/** Time of the server in milliseconds, and the hash as name and value in turn. */
type Hash = readonly [nowMs: number, fields: readonly string[]];

/**
 * Adds a set or replaces it where it differs, and takes note that it is seen.
 *
 * `KEYS`: hash of the group. `ARGV`: id, set as JSON, worker, service, a version that was never used.
 */
const register: RedisScript<Hash> = new RedisScript(`${now}
local id = ARGV[1]
if redis.call('HGET', KEYS[1], 'set:' .. id) ~= ARGV[2] then
  redis.call('HSETNX', KEYS[1], 'owner', ARGV[4])
  redis.call('HSETNX', KEYS[1], 'first:' .. id, now)
  redis.call('HSET', KEYS[1], 'set:' .. id, ARGV[2], 'version', ARGV[5])
end
redis.call('HSET', KEYS[1], 'seen:' .. id, now, 'worker:' .. id, ARGV[3])
return { now, redis.call('HGETALL', KEYS[1]) }`);

/** `KEYS`: hash of the group. */
const read: RedisScript<Hash> = new RedisScript(`${now}
return { now, redis.call('HGETALL', KEYS[1]) }`);

/**
 * Replaces sets, if nothing has changed since they were read.
 *
 * `KEYS`: hash of the group. `ARGV`: version as it was read, the next one, owner, then id and JSON of each set,
 * empty for one that goes.
 *
 * @returns 0 if something has changed.
 */
const replace: RedisScript<0 | 1> = new RedisScript(`
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
for at = 4, #ARGV, 2 do
  local id, json = ARGV[at], ARGV[at + 1]
  if json ~= '' then
    redis.call('HSET', KEYS[1], 'set:' .. id, json)
  else
    redis.call('HDEL', KEYS[1], 'set:' .. id, 'first:' .. id, 'seen:' .. id, 'worker:' .. id)
  end
end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'owner', ARGV[3]) else redis.call('HDEL', KEYS[1], 'owner') end
redis.call('HSET', KEYS[1], 'version', ARGV[2])
return 1`);

/** What the groups of a Redis handle: a hash for each. Their entries are settled under its version only. */
export class StreamRegistry implements GroupRegistry {
  readonly #redis: RedisCaller;
  readonly #names: StreamNames;

  constructor(redis: RedisCaller, names: StreamNames) {
    this.#redis = redis;
    this.#names = names;
  }

  async register(
    group: string,
    { id, ...set }: HandlerSet & { readonly id: string },
    worker: string,
  ): Promise<RegistryCopy> {
    const args = [id, jsonOf(set), worker, set.service, randomIds()];
    try {
      return copyOf(await this.#run(register, group, args));
    } catch (error) {
      // Consumers are what empties a server that is full, so they do not wait for it.
      if (!isFull(error)) throw error;
      return await this.read(group);
    }
  }

  async read(group: string): Promise<RegistryCopy> {
    return copyOf(await this.#run(read, group, []));
  }

  async retire(
    group: string,
    { service, name }: { readonly service: string; readonly name?: string },
  ): Promise<boolean> {
    for (;;) {
      const { version, owner, sets } = await this.read(group);
      const left = sets.map((set) => {
        if (set.service !== service) return set;
        const handlers = set.handlers.filter(
          (handler) => name !== undefined && handler.name !== name,
        );
        return handlers.length === set.handlers.length ? set : { ...set, handlers };
      });
      const changed = left.filter((set, index) => set !== sets[index]);
      if (changed.length === 0) return false;
      const kept = left.filter(({ handlers }) => handlers.length > 0);
      const isOwned = kept.some((set) => set.service === owner);
      const next = isOwned ? owner : (kept[0]?.service ?? '');
      const args = changed.flatMap((set) => [set.id, set.handlers.length === 0 ? '' : jsonOf(set)]);
      if (await this.#run(replace, group, [version, randomIds(), next, ...args])) return true;
    }
  }

  #run<Reply>(script: RedisScript<Reply>, group: string, args: readonly string[]): Promise<Reply> {
    const key = this.#names.registryOf(group);
    const doing = `keep what group ${group} handles in the key ${key}`;
    return runScript(this.#redis, script, { doing, keys: [key], args });
  }
}

/** Says whether Redis refused to write because its memory is full. */
function isFull(error: unknown): boolean {
  return isEventError(error) && replyCodeOf(error.cause) === 'OOM';
}

/** Equal for equal sets. */
function jsonOf({ service, sharedBy, handlers, versions }: HandlerSet): string {
  return JSON.stringify({ service, sharedBy, handlers, versions });
}

function copyOf([nowMs, list]: Hash): RegistryCopy {
  const fields = new Map<string, string>();
  for (let at = 0; at < list.length; at += 2) fields.set(list[at]!, list[at + 1]!);
  const ids = [...fields.keys()]
    .filter((name) => name.startsWith('set:'))
    .map((name) => name.slice(4));
  const ago = (name: string): number =>
    Math.max(Number(nowMs) - Number(fields.get(name) ?? nowMs), 0);
  const sets = ids.map((id): KnownHandlerSet => ({
    id,
    ...(JSON.parse(fields.get(`set:${id}`)!) as HandlerSet),
    worker: fields.get(`worker:${id}`) ?? '',
    registeredAgoMs: ago(`first:${id}`),
    seenAgoMs: ago(`seen:${id}`),
  }));
  return {
    version: fields.get('version') ?? '',
    owner: fields.get('owner') ?? '',
    sets: sets.sort((a, b) => b.registeredAgoMs - a.registeredAgoMs || (a.id < b.id ? -1 : 1)),
  };
}
