import { RedisScript } from './redis-script.ts';

/** A handover as scripts answer it: its number, then names and values of its hash. */
export type HandoverReply = readonly [number: string, fields: readonly string[]];

/**
 * What every script knows. KEYS[1] begins the names of all keys of a group: `:<number>`, a hash for each
 * handover; `:names`, a hash from the name of a handler's part of an event to its number; `:kinds`, a hash from
 * the name of a kind to its JSON; `:waiting:<kind>`, numbers that wait, by number; `:keys`, a hash that counts
 * what waits by handler and key; `:taken`, numbers that somebody has; `:ended`, numbers by the time (the
 * server's, in milliseconds) of their end; `:retired`, a hash of handlers that do not come back; `:last`.
 */
const shared = `
local base = KEYS[1]
local function row_of(number) return base .. ':' .. number end
local function waiting_of(kind) return base .. ':waiting:' .. kind end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function count(lane, by)
  if redis.call('HINCRBY', base .. ':keys', lane, by) <= 0 then redis.call('HDEL', base .. ':keys', lane) end
end

-- Ends one that waits. Its hash keeps what it was, and what became of it.
local function finish(number, status, by, notes)
  local row = redis.call('HMGET', row_of(number), 'kind', 'lane')
  redis.call('ZREM', waiting_of(row[1]), number)
  if redis.call('EXISTS', waiting_of(row[1])) == 0 then redis.call('HDEL', base .. ':kinds', row[1]) end
  redis.call('SREM', base .. ':taken', number)
  count(row[2], -1)
  redis.call('HDEL', row_of(number), 'claim_token', 'claim_until')
  redis.call('HSET', row_of(number), 'status', status, 'ended_by', by, 'notes', notes)
  redis.call('ZADD', base .. ':ended', now_ms(), number)
end

local function give_back(number)
  redis.call('HDEL', row_of(number), 'claim_token', 'claim_until', 'claimed_by')
  redis.call('SREM', base .. ':taken', number)
end

local function is_claimed_by(number, token)
  local row = redis.call('HMGET', row_of(number), 'status', 'claim_token')
  return row[1] == 'waiting' and row[2] == token
end
`;

function script<Reply>(source: string): RedisScript<Reply> {
  return new RedisScript(shared + source);
}

/**
 * Adds one, unless it is known. Arguments: its name, kind, JSON of the kind, handler, lane, then the fields of its
 * hash.
 */
export const addScript: RedisScript<null> = script(`
local name, kind, kind_json, handler, lane = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if redis.call('HEXISTS', base .. ':names', name) == 1 then return end
local number = redis.call('INCR', base .. ':last')
local now = now_ms()
redis.call('HSET', row_of(number), 'status', 'waiting', 'entered_at', now, 'name', name, 'kind', kind,
  'lane', lane, unpack(ARGV, 6))
redis.call('HSET', base .. ':names', name, number)
redis.call('HSET', base .. ':kinds', kind, kind_json)
redis.call('ZADD', waiting_of(kind), number, number)
count(lane, 1)
local retired = redis.call('HMGET', base .. ':retired', handler .. ' by', handler .. ' reason')
if retired[1] then finish(number, 'skipped', retired[1], retired[2]) end`);

/**
 * Arguments: most names of each question; then for each question so many names and lanes, padded with empty ones.
 *
 * @returns 2 for a name that is known, 1 for a lane in which something waits, 0 for neither.
 */
export const lookScript: RedisScript<number[]> = script(`
local width = tonumber(ARGV[1])
local answers = {}
for at = 2, #ARGV, width * 2 do
  local answer = 0
  for each = at, at + width - 1 do
    local name, lane = ARGV[each], ARGV[each + width]
    if name ~= '' then
      if redis.call('HEXISTS', base .. ':names', name) == 1 then answer = 2
      elseif answer == 0 and redis.call('HEXISTS', base .. ':keys', lane) == 1 then answer = 1 end
    end
  end
  answers[#answers + 1] = answer
end
return answers`);

/** What waits, by kind. @returns JSON of the kind, how many, and number and time of the oldest, of each. */
export const openScript: RedisScript<
  [kind: string, count: number, oldest: string, oldestMs: string][]
> = script(`
local open = {}
local kinds = redis.call('HGETALL', base .. ':kinds')
for at = 1, #kinds, 2 do
  local waiting = waiting_of(kinds[at])
  local oldest = redis.call('ZRANGE', waiting, 0, 0)[1]
  if oldest then
    open[#open + 1] = { kinds[at + 1], redis.call('ZCARD', waiting), oldest,
      redis.call('HGET', row_of(oldest), 'entered_at') }
  end
end
return open`);

/**
 * Takes what waits in some kinds, oldest first over all of them, but no key of which another worker has one. What
 * has lapsed of a key that is taken, and is not taken itself, loses its token.
 *
 * Arguments: token, time of the claims in milliseconds, most of them, worker, then kinds.
 */
export const claimScript: RedisScript<HandoverReply[]> = script(`
local token, lease_ms, limit, worker = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local now = now_ms()
local held, taken, lapsed = {}, {}, {}
for _, number in ipairs(redis.call('SMEMBERS', base .. ':taken')) do
  local row = redis.call('HMGET', row_of(number), 'claim_until', 'claimed_by', 'key')
  if row[1] and tonumber(row[1]) > now then
    taken[number] = true
    if row[2] ~= worker then held[row[3]] = true end
  elseif row[1] then
    lapsed[number] = row[3]
  else
    redis.call('SREM', base .. ':taken', number)
  end
end
local chunk, heads = 100, {}
local function head_of(at)
  local head = heads[at]
  if head.at > #head.numbers and not head.ended then
    head.numbers = redis.call('ZRANGE', waiting_of(ARGV[at]), head.from, head.from + chunk - 1)
    head.from, head.at, head.ended = head.from + chunk, 1, #head.numbers < chunk
  end
  return tonumber(head.numbers[head.at])
end
for at = 5, #ARGV do heads[at] = { numbers = {}, at = 1, from = 0, ended = false } end
local claims, keys = {}, {}
while #claims < limit do
  local first, least
  for at = 5, #ARGV do
    local number = head_of(at)
    if number and (not least or number < least) then first, least = at, number end
  end
  if not first then break end
  local number = heads[first].numbers[heads[first].at]
  heads[first].at = heads[first].at + 1
  local key = redis.call('HGET', row_of(number), 'key')
  if not taken[number] and not held[key] then
    keys[key], lapsed[number] = true, nil
    redis.call('HSET', row_of(number), 'claim_token', token, 'claim_until', now + lease_ms,
      'claimed_by', worker)
    redis.call('SADD', base .. ':taken', number)
    claims[#claims + 1] = { number, redis.call('HGETALL', row_of(number)) }
  end
end
for number, key in pairs(lapsed) do
  if keys[key] then give_back(number) end
end
return claims`);

/** Arguments: number, token, time of the claim in milliseconds. @returns 0 if the claim was lost. */
export const renewScript: RedisScript<0 | 1> = script(`
if not is_claimed_by(ARGV[1], ARGV[2]) then return 0 end
redis.call('HSET', row_of(ARGV[1]), 'claim_until', now_ms() + ARGV[3])
return 1`);

/** Arguments: number, token. @returns 0 if the claim was lost. */
export const settleScript: RedisScript<0 | 1> = script(`
if not is_claimed_by(ARGV[1], ARGV[2]) then return 0 end
finish(ARGV[1], 'done', redis.call('HGET', row_of(ARGV[1]), 'claimed_by'), '')
return 1`);

/** Arguments: number, token. @returns 0 if the claim was lost. */
export const releaseScript: RedisScript<0 | 1> = script(`
if not is_claimed_by(ARGV[1], ARGV[2]) then return 0 end
give_back(ARGV[1])
return 1`);

/** Arguments: handler, who, why. @returns How many were waiting. */
export const retireScript: RedisScript<number> = script(`
local handler, by, reason = ARGV[1], ARGV[2], ARGV[3]
redis.call('HSET', base .. ':retired', handler .. ' by', by, handler .. ' reason', reason)
local skipped = 0
local kinds = redis.call('HGETALL', base .. ':kinds')
for at = 1, #kinds, 2 do
  if cjson.decode(kinds[at + 1]).handler == handler then
    for _, number in ipairs(redis.call('ZRANGE', waiting_of(kinds[at]), 0, -1)) do
      finish(number, 'skipped', by, reason)
      skipped = skipped + 1
    end
  end
end
return skipped`);

/** Arguments: handlers. */
export const reinstateScript: RedisScript<null> = script(`
for _, handler in ipairs(ARGV) do
  redis.call('HDEL', base .. ':retired', handler .. ' by', handler .. ' reason')
end`);

/** Arguments: age in milliseconds, most of them. @returns How many were forgotten. */
export const pruneScript: RedisScript<number> = script(`
local before = '(' .. (now_ms() - tonumber(ARGV[1]))
local ended = redis.call('ZRANGEBYSCORE', base .. ':ended', '-inf', before, 'LIMIT', 0, ARGV[2])
for _, number in ipairs(ended) do
  redis.call('HDEL', base .. ':names', redis.call('HGET', row_of(number), 'name'))
  redis.call('DEL', row_of(number))
  redis.call('ZREM', base .. ':ended', number)
end
return #ended`);
