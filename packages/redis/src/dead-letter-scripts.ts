import type { DeadLetterReply } from './dead-letter-record.ts';
import { RedisScript } from './redis-script.ts';

/**
 * What every script knows. KEYS[1] is the stream, and begins the names of all other keys: `:index`, a
 * hash from the identity of a failure to its id; `:<id>`, a hash of what changes about one; and
 * `:processing:<group>`, the ids that an operator wants run again, by the time (the server's, in
 * milliseconds) until which somebody has them, or 0.
 */
const shared = `
local stream = KEYS[1]
local index = stream .. ':index'

local function state_of(id) return stream .. ':' .. id end
local function processing_of(group) return stream .. ':processing:' .. group end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function table_of(fields)
  local named = {}
  for at = 1, #fields, 2 do named[fields[at]] = fields[at + 1] end
  return named
end

local function entry_of(id)
  local found = redis.call('XRANGE', stream, id, id)[1]
  return found and found[2]
end

local function letter_of(id, entry)
  return { id, entry, redis.call('HGETALL', state_of(id)) }
end

local function add_attempts(id, attempts)
  local known = tonumber(redis.call('HGET', state_of(id), 'total_attempts') or 0)
  redis.call('HSET', state_of(id), 'total_attempts', known + attempts)
end

-- Writes down what has become different from the entry, which itself cannot change.
local function replace(id, entry, from)
  local original = table_of(entry)
  for at = from, #ARGV, 2 do
    if original[ARGV[at]] == ARGV[at + 1] then
      redis.call('HDEL', state_of(id), ARGV[at])
    else
      redis.call('HSET', state_of(id), ARGV[at], ARGV[at + 1])
    end
  end
end
`;

function script<Reply>(source: string): RedisScript<Reply> {
  return new RedisScript(shared + source);
}

/**
 * Records a failure. Arguments: its identity, a name for this call, attempts, and the fields of the
 * entry. The id.
 */
export const addScript: RedisScript<string> = script(`
local identity, call, attempts = ARGV[1], ARGV[2], ARGV[3]
local id = redis.call('HGET', index, identity)
local entry = id and entry_of(id)
if not entry then
  id = redis.call('XADD', stream, '*', unpack(ARGV, 4))
  redis.call('HSET', index, identity, id)
  redis.call('HSET', state_of(id), 'status', 'pending', 'total_attempts', attempts, 'last_call', call)
  return id
end
local known = redis.call('HMGET', state_of(id), 'status', 'last_call')
-- A client that has lost the answer sends the same call again.
if known[2] == call then return id end
add_attempts(id, attempts)
replace(id, entry, 4)
redis.call('HDEL', state_of(id), 'resolved_at', 'resolved_by', 'resolution_notes')
-- What somebody had ended opens again, or nobody would see it.
local status = known[1] == 'processing' and 'processing' or 'pending'
redis.call('HSET', state_of(id), 'status', status, 'last_call', call)
return id`);

/** One dead letter. Argument: its id. */
export const getScript: RedisScript<DeadLetterReply | null> = script(`
local entry = entry_of(ARGV[1])
return entry and letter_of(ARGV[1], entry)`);

/** Dead letters, each where its argument is: the identity of its failure. */
export const findScript: RedisScript<readonly (DeadLetterReply | null)[]> = script(`
local found = {}
for at = 1, #ARGV do
  local id = redis.call('HGET', index, ARGV[at])
  local entry = id and entry_of(id)
  found[at] = entry and letter_of(id, entry) or false
end
return found`);

/** Id of the last entry that was looked at, empty if there was none; and those that were wanted. */
export type ListReply = readonly [string, readonly DeadLetterReply[]];

/**
 * Looks through some entries. Arguments: the id to begin after, how many to look at, how many to find,
 * and names and values that all of them must have.
 */
export const listScript: RedisScript<ListReply> = script(`
local after, count, wanted = ARGV[1], ARGV[2], tonumber(ARGV[3])
local function matches(letter)
  local original, now = table_of(letter[2]), table_of(letter[3])
  for at = 4, #ARGV, 2 do
    if (now[ARGV[at]] or original[ARGV[at]]) ~= ARGV[at + 1] then return false end
  end
  return true
end
local last, found = '', {}
for _, item in ipairs(redis.call('XRANGE', stream, '(' .. after, '+', 'COUNT', count)) do
  if #found == wanted then break end
  last = item[1]
  local letter = letter_of(item[1], item[2])
  if matches(letter) then found[#found + 1] = letter end
end
return { last, found }`);

/**
 * Does what an operator has decided; whoever has the dead letter loses it. Arguments: its id, a name for
 * this call, the new status, and by whom and why it is ended. `done`, or the status that stands against
 * it, or `null` if there is no such dead letter.
 */
export const decideScript: RedisScript<string | null> = script(`
local id, call, status, by, notes = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local entry = entry_of(id)
if not entry then return false end
local state = state_of(id)
local known = redis.call('HMGET', state, 'status', 'last_call')
-- A client that has lost the answer sends the same call again.
if known[2] == call then return 'done' end
local before, again = known[1] or 'pending', status == 'processing'
if before ~= 'pending' and (again or before ~= 'processing') then return before end
local processing = processing_of(table_of(entry).group_name)
if again then
  redis.call('ZADD', processing, 0, id)
else
  redis.call('ZREM', processing, id)
end
redis.call('HDEL', state, 'claim_token', 'claimed_by')
redis.call('HSET', state, 'status', status, 'last_call', call)
if not again then
  redis.call('HSET', state, 'resolved_at', now_ms(), 'resolved_by', by, 'resolution_notes', notes)
end
return 'done'`);

/**
 * Takes dead letters of a group that nobody has, or whose claim has lapsed. Arguments: the group, a
 * token, for how long (milliseconds), how many at most, and the worker.
 */
export const claimScript: RedisScript<readonly DeadLetterReply[]> = script(`
local token, lease_ms, limit, worker = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local now, processing = now_ms(), processing_of(ARGV[1])
local claims = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', processing, '-inf', now, 'LIMIT', 0, limit)) do
  local entry = entry_of(id)
  if entry and redis.call('HGET', state_of(id), 'status') == 'processing' then
    redis.call('ZADD', processing, now + lease_ms, id)
    redis.call('HSET', state_of(id), 'claim_token', token, 'claimed_by', worker)
    claims[#claims + 1] = letter_of(id, entry)
  else
    -- Somebody has removed the entry, or changed its status, by hand.
    redis.call('ZREM', processing, id)
  end
end
return claims`);

/** Prolongs a claim. Arguments: id, group, token, for how long (milliseconds). 1, or 0 if it was lost. */
export const renewScript: RedisScript<number> = script(`
local id, group, token, lease_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('HGET', state_of(id), 'claim_token') ~= token then return 0 end
redis.call('ZADD', processing_of(group), 'XX', now_ms() + lease_ms, id)
return 1`);

/**
 * Ends a claim. Arguments: id, group, token, a name for this call, the new status, attempts, and fields
 * of the new reason. 1, or 0 if it was lost.
 */
export const settleScript: RedisScript<number> = script(`
local id, group, token, call, status, attempts = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local state = state_of(id)
local known = redis.call('HMGET', state, 'claim_token', 'claimed_by', 'last_call')
-- A client that has lost the answer sends the same call again.
if known[3] == call then return 1 end
local entry = entry_of(id)
if known[1] ~= token or not entry then return 0 end
redis.call('ZREM', processing_of(group), id)
redis.call('HDEL', state, 'claim_token', 'claimed_by')
redis.call('HSET', state, 'status', status, 'last_call', call)
if status == 'resolved' then
  redis.call('HSET', state, 'resolved_at', now_ms(), 'resolved_by', known[2] or '',
    'resolution_notes', 'run again')
else
  add_attempts(id, attempts)
  replace(id, entry, 7)
end
return 1`);
