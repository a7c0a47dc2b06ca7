import type { GroupInspection, StreamInspection, TransportInspection } from '@waybill/core';

import { releasedConsumer } from './claim-scripts.ts';
import { replyCodeOf } from './redis-errors.ts';
import { RedisScript, type RedisCall } from './redis-script.ts';

/** Most messages that are counted one by one. */
const maxCounted = 10_000;

/** Counts entries behind an id, up to a limit. `KEYS`: stream. `ARGV`: id, limit. */
const countBehind = new RedisScript<number>(`
local start, count, limit = '(' .. ARGV[1], 0, tonumber(ARGV[2])
while count < limit do
  local entries = redis.call('XRANGE', KEYS[1], start, '+', 'COUNT', 100)
  count = count + #entries
  if #entries < 100 then break end
  start = '(' .. entries[#entries][1]
end
return count`);

/**
 * How long ago the oldest entry was added that a group has not finished.
 *
 * `KEYS`: stream. `ARGV`: group, the youngest entry that was delivered.
 *
 * @returns Milliseconds by the server's clock; 0 if the group has finished everything.
 */
const ageOfOldest = new RedisScript<number>(`
local oldest = redis.call('XPENDING', KEYS[1], ARGV[1])[2]
if not oldest then
  local following = redis.call('XRANGE', KEYS[1], '(' .. ARGV[2], '+', 'COUNT', 1)[1]
  oldest = following and following[1]
end
if not oldest then return 0 end
local now = redis.call('TIME')
local age = now[1] * 1000 + math.floor(now[2] / 1000) - tonumber(string.match(oldest, '^%d+'))
return math.max(age, 0)`);

/** What `XINFO` says of a group or a consumer. */
type Info = ReadonlyMap<string, unknown>;

/**
 * What Redis says of streams and their groups.
 *
 * A server that cannot tell how far a group is behind (6.2, and any after entries were deleted) has the
 * messages counted, up to 10,000.
 *
 * @param aliveMs A consumer that was silent for longer is not counted, in milliseconds.
 */
export async function inspectStreams(
  call: RedisCall,
  streams: readonly string[],
  aliveMs: number,
): Promise<TransportInspection> {
  const inspected = await Promise.all(streams.map((name) => inspectStream(call, name, aliveMs)));
  return { streams: inspected.filter((stream) => stream !== undefined) };
}

async function inspectStream(
  call: RedisCall,
  name: string,
  aliveMs: number,
): Promise<StreamInspection | undefined> {
  try {
    const [length, groups] = await Promise.all([
      call('XLEN', name) as Promise<number>,
      call('XINFO', 'GROUPS', name) as Promise<unknown[][]>,
    ]);
    const inspected = groups.map((group) => inspectGroup(call, name, infoOf(group), aliveMs));
    return { name, length, groups: await Promise.all(inspected) };
  } catch (error) {
    if (replyCodeOf(error) === 'ERR') return undefined; // registered, and not there yet or any more
    throw error;
  }
}

async function inspectGroup(
  call: RedisCall,
  stream: string,
  group: Info,
  aliveMs: number,
): Promise<GroupInspection> {
  const name = String(group.get('name'));
  const consumers = (await call('XINFO', 'CONSUMERS', stream, name)) as unknown[][];
  const alive = consumers.map(infoOf).filter((consumer) => {
    const isThere = Number(consumer.get('idle')) < aliveMs;
    return isThere && consumer.get('name') !== releasedConsumer;
  });
  const lastDelivered = String(group.get('last-delivered-id'));
  const ageMs = await ageOfOldest.run(call, [stream], [name, lastDelivered]);
  const lag =
    group.get('lag') ?? (await countBehind.run(call, [stream], [lastDelivered, maxCounted]));
  return {
    name,
    pending: Number(group.get('pending')),
    lag: Number(lag),
    lagSeconds: Number(ageMs) / 1_000,
    consumers: alive.length,
    members: alive.map((consumer) => ({
      name: String(consumer.get('name')),
      pending: Number(consumer.get('pending')),
    })),
  };
}

function infoOf(flat: readonly unknown[]): Info {
  const info = new Map<string, unknown>();
  for (let at = 0; at + 1 < flat.length; at += 2) info.set(String(flat[at]), flat[at + 1]);
  return info;
}
