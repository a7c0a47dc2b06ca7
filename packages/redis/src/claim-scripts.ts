import { RedisScript } from './redis-script.ts';

// What asks whether an entry is still one's own and what follows from the answer are one step each: a bare
// XACK or XCLAIM of a former owner would take the entry from the next one.

/**
 * Settles entries whose claims cannot have lapsed, if the group's registry has the version by which they were
 * judged.
 *
 * `KEYS`: stream, registry. `ARGV`: group, version, then ids.
 *
 * @returns 0 if the registry has another version; nothing is settled then.
 */
export const acknowledge: RedisScript<0 | 1> = new RedisScript(`
if (redis.call('HGET', KEYS[2], 'version') or '') ~= ARGV[2] then return 0 end
redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 3))
return 1`);

/**
 * Settles entries that this consumer still owns.
 *
 * `KEYS`: stream, registry unless any version will do. `ARGV`: group, consumer, version, then id and delivery
 * count of each.
 *
 * @returns Ids of those that were refused, or `outdated` if the registry has another version and nothing is
 *   settled.
 */
export const settleOwned: RedisScript<string[] | 'outdated'> = new RedisScript(`
if KEYS[2] and (redis.call('HGET', KEYS[2], 'version') or '') ~= ARGV[3] then return 'outdated' end
local refused = {}
for at = 4, #ARGV, 2 do
  local id = ARGV[at]
  local found = redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1)[1]
  if found and found[2] == ARGV[2] and found[4] == tonumber(ARGV[at + 1]) then
    redis.call('XACK', KEYS[1], ARGV[1], id)
  else
    refused[#refused + 1] = id
  end
end
return refused`);

/**
 * Prolongs the claims on entries that this consumer still owns.
 *
 * An entry that nobody has, although its claim cannot have lapsed, was forgotten together with its group,
 * and is claimed anew.
 *
 * `KEYS`: stream. `ARGV`: group, consumer, then id, delivery count, and 1 for a claim that cannot have
 * lapsed, of each.
 *
 * @returns Ids of those that were refused; of those that were claimed anew.
 */
export const renewOwned: RedisScript<readonly [refused: string[], anew: string[]]> =
  new RedisScript(`
local refused, anew = {}, {}
for at = 3, #ARGV, 3 do
  local id, count = ARGV[at], ARGV[at + 1]
  local found = redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1)[1]
  local held
  if found and found[2] == ARGV[2] and found[4] == tonumber(count) then
    held = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'JUSTID')
  elseif not found and ARGV[at + 2] == '1' then
    held = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'RETRYCOUNT', count, 'FORCE', 'JUSTID')
    anew[#anew + 1] = held[1]
  end
  if not held or #held == 0 then refused[#refused + 1] = id end
end
return { refused, anew }`);

/** Entries that a consumer gave up in good order wait under this name for the next one. */
export const releasedConsumer = '(released)';

/** So long ago that every claim has lapsed: a week, since Redis takes longer for "just now". */
const longIdleMs = 604_800_000;

/**
 * Gives up whatever is pending for a consumer, so that others may take it at once, and removes the consumer.
 *
 * `KEYS`: stream. `ARGV`: group, consumer, how many were read and never handed out, and their ids, whose
 * delivery is taken back; then ids of what was handed out and only waited, of whose deliveries one is left.
 *
 * @returns How many were given up.
 */
export const releaseAll: RedisScript<number> = new RedisScript(`
local least = {}
for at = 4, #ARGV do
  if at - 3 <= tonumber(ARGV[3]) then least[ARGV[at]] = 0 else least[ARGV[at]] = 1 end
end
local start, count = '-', 0
while true do
  local mine = redis.call('XPENDING', KEYS[1], ARGV[1], start, '+', 100, ARGV[2])
  if #mine == 0 then break end
  for _, found in ipairs(mine) do
    local deliveries = found[4]
    if least[found[1]] then deliveries = math.max(deliveries - 1, least[found[1]]) end
    redis.call('XCLAIM', KEYS[1], ARGV[1], '${releasedConsumer}', 0, found[1],
      'IDLE', ${longIdleMs}, 'RETRYCOUNT', deliveries, 'JUSTID')
    count = count + 1
  end
  start = '(' .. mine[#mine][1]
end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return count`);

/** An entry that was taken: id, delivery count, former owner, how long it was idle in milliseconds, fields. */
export type TakenEntry = readonly [
  id: string,
  deliveryCount: number,
  owner: string,
  idleMs: number,
  fields: readonly string[],
];

/**
 * Takes entries whose owners have been silent for too long, oldest first.
 *
 * One that has been delivered twice without an end may be what ends its process. It is taken alone, and
 * only if \`ARGV[5]\` says so, so that its neighbours are not counted with it.
 *
 * `KEYS`: stream. `ARGV`: group, consumer, shortest silence in milliseconds, most entries, 1 to take one suspect.
 *
 * @returns What was taken; ids of entries that are gone from the stream; 1 if a suspect is next; 1 if some
 *   of this consumer's own have been silent for too long.
 */
export const takeOver: RedisScript<readonly [TakenEntry[], string[], number, number]> =
  new RedisScript(`
local taken, gone, suspect, own = {}, {}, 0, 0
local idle = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[3], '-', '+', ARGV[4])
for _, found in ipairs(idle) do
  local id, owner, silent, count = found[1], found[2], found[3], found[4]
  if owner == ARGV[2] then
    own = 1
  else
    if count >= 2 and (ARGV[5] ~= '1' or #taken > 0) then
      suspect = 1
      break
    end
    local entry = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id)[1]
    if entry then
      taken[#taken + 1] = { id, count + 1, owner, silent, entry[2] }
    else
      redis.call('XACK', KEYS[1], ARGV[1], id)
      gone[#gone + 1] = id
    end
    if count >= 2 then break end
  end
end
return { taken, gone, suspect, own }`);

/**
 * Reads entries once more that this consumer owns, without counting a delivery: their first answer got lost.
 *
 * `KEYS`: stream. `ARGV`: group, consumer, then ids.
 */
export const readAgain: RedisScript<readonly [TakenEntry[], string[]]> = new RedisScript(`
local taken, gone = {}, {}
for at = 3, #ARGV do
  local id = ARGV[at]
  local found = redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1)[1]
  if found and found[2] == ARGV[2] then
    local entry = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'RETRYCOUNT', found[4])[1]
    if entry then
      taken[#taken + 1] = { id, found[4], found[2], found[3], entry[2] }
    else
      redis.call('XACK', KEYS[1], ARGV[1], id)
      gone[#gone + 1] = id
    end
  end
end
return { taken, gone }`);

/**
 * Says what others hold up to an entry.
 *
 * `KEYS`: stream. `ARGV`: group, consumer, id up to which, shortest silence in milliseconds.
 *
 * @returns 0 for nothing, 1 for what they may be working on, 2 for something that may be taken over.
 */
export const heldByOthers: RedisScript<0 | 1 | 2> = new RedisScript(`
local summary = redis.call('XPENDING', KEYS[1], ARGV[1])
if summary[1] == 0 then return 0 end
local held = 0
for _, consumer in ipairs(summary[4]) do
  if consumer[1] ~= ARGV[2] then
    local silent = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[4], '-', ARGV[3], 1, consumer[1])
    if #silent > 0 then return 2 end
    if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', ARGV[3], 1, consumer[1]) > 0 then held = 1 end
  end
end
return held`);

/**
 * Says how far a group has come.
 *
 * `KEYS`: stream. `ARGV`: group.
 *
 * @returns The oldest entry that is pending, or nothing; the youngest that was delivered.
 */
export const progressOf: RedisScript<readonly [oldestPending: string, lastDelivered: string]> =
  new RedisScript(`
local oldest = redis.call('XPENDING', KEYS[1], ARGV[1])[2]
for _, info in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for at = 1, #info, 2 do group[info[at]] = info[at + 1] end
  if group.name == ARGV[1] then return { oldest or '', group['last-delivered-id'] } end
end`);

/** Above every entry, and not the last id that there could be, behind which Redis begins at the first one. */
const aboveAll = '18446744073709551615-18446744073709551614';

/**
 * Removes consumers that have nothing pending and have been away for long. Says first that the caller is
 * there: up to Redis 7.0, to have waited for something in vain is no sign of life.
 *
 * `KEYS`: stream. `ARGV`: group, shortest absence in milliseconds, consumer that calls.
 *
 * @returns Names of those that were removed.
 */
export const removeIdleConsumers: RedisScript<string[]> = new RedisScript(`
local removed = {}
if redis.call('EXISTS', KEYS[1]) == 0 then return removed end
redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[3], 'STREAMS', KEYS[1], '${aboveAll}')
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for at = 1, #info, 2 do consumer[info[at]] = info[at + 1] end
  local left = consumer.name == '${releasedConsumer}' or consumer.idle >= tonumber(ARGV[2])
  if consumer.pending == 0 and left then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    removed[#removed + 1] = consumer.name
  end
end
return removed`);
