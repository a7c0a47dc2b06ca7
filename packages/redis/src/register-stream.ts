/**
 * Lua for scripts that may make a stream: `register(streams, openGroups, stream)`.
 *
 * A stream that is used for the first time gets every group that takes all streams, from its first entry on:
 * whoever is away just now misses nothing, and nothing that it needs is trimmed.
 */
export const registerStream = `
local function register(streams, openGroups, stream)
  if redis.call('SADD', streams, stream) == 0 then return end
  for _, group in ipairs(redis.call('SMEMBERS', openGroups)) do
    redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
  end
end`;
