/**
 * Lua for scripts that may make a stream: `register(streams, openGroups, stream)`.
 *
 * A stream that is used for the first time gets every group that takes all streams, from its first entry on:
 * whoever is away just now misses nothing, and nothing that it needs is trimmed.
 */
export const registerStream = `
local function register(streams, openGroups, stream)
  -- A server that is full refuses SADD also for what is there already.
  if redis.call('SISMEMBER', streams, stream) == 1 then return end
  -- What is no stream, or may not be used, would stop every group that takes all streams.
  if type(redis.pcall('XLEN', stream)) == 'table' then return end
  redis.call('SADD', streams, stream)
  for _, group in ipairs(redis.call('SMEMBERS', openGroups)) do
    redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
  end
end`;
