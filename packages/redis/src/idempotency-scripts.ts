import { RedisScript } from './redis-script.ts';

// Every script has the hash of one key as KEYS[1]. Times are the server's: a worker's clock has no say.

const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/** `claimed` or `held`; `completed` with the result as JSON text; `mismatch` with the operation it belongs to. */
export type ClaimReply = readonly ['claimed' | 'held' | 'completed' | 'mismatch', (string | null)?];

/**
 * Gives the key to this token unless somebody has it, or has completed it.
 *
 * Arguments: token, operation, and for how long the claim holds and its record is kept (milliseconds).
 */
export const claimScript: RedisScript<ClaimReply> = new RedisScript(`${now}
local token, operation, claim_ms, keep_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local known = redis.call('HMGET', KEYS[1], 'operation', 'status', 'result', 'token', 'claim_until')
if known[1] then
  if known[1] ~= operation then return { 'mismatch', known[1] } end
  if known[2] == 'completed' then return { 'completed', known[3] } end
  -- A client that has lost the answer sends the same claim again.
  if known[4] == token then return { 'claimed' } end
  if known[2] == 'processing' and tonumber(known[5]) > now then return { 'held' } end
end
if known[1] then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'operation', operation, 'status', 'processing', 'token', token,
  'claim_until', now + claim_ms)
redis.call('PEXPIRE', KEYS[1], claim_ms + keep_ms)
return { 'claimed' }`);

/** Prolongs the claim of this token. Arguments: token, and for how long as with a claim. 1, or 0 if it was lost. */
export const renewScript: RedisScript<number> = new RedisScript(`${now}
local token, claim_ms, keep_ms = ARGV[1], ARGV[2], ARGV[3]
if redis.call('HGET', KEYS[1], 'token') ~= token then return 0 end
redis.call('HSET', KEYS[1], 'claim_until', now + claim_ms)
redis.call('PEXPIRE', KEYS[1], claim_ms + keep_ms)
return 1`);

/**
 * Ends the claim of this token. 1, or 0 if it was lost.
 *
 * Arguments: token, a name for this call, for how long the record is kept (milliseconds), the status,
 * and more fields and their values.
 */
export const endScript: RedisScript<number> = new RedisScript(`
local token, call, keep_ms, status = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local known = redis.call('HMGET', KEYS[1], 'token', 'ended_by')
-- A client that has lost the answer sends the same call again.
if known[2] == call then return 1 end
if known[1] ~= token then return 0 end
redis.call('HDEL', KEYS[1], 'token', 'claim_until')
redis.call('HSET', KEYS[1], 'status', status, 'ended_by', call, unpack(ARGV, 5))
redis.call('PEXPIRE', KEYS[1], keep_ms)
return 1`);

/** Fields of a hash, or null where there is none: the operation, status, result and error. */
export type RecordReply = readonly [string | null, string | null, string | null, string | null];

export const getScript: RedisScript<RecordReply> = new RedisScript(
  `return redis.call('HMGET', KEYS[1], 'operation', 'status', 'result', 'error')`,
);
