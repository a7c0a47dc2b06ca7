import { describe, expect, it } from 'vitest';

import { redisPoint, redisScriptPoint } from './redis-point-name.ts';

describe('the name of a Redis command', () => {
  it.for([
    ['XACK', ['stream', 'group', '1-0'], 'XACK', true],
    ['xadd', ['stream', '*'], 'XADD', true],
    ['XGROUP', ['create', 'stream', 'group', '$'], 'XGROUP CREATE', true],
    ['XREADGROUP', ['GROUP', 'stock', 'worker'], 'XREADGROUP', true],
    ['SCRIPT', ['FLUSH'], 'SCRIPT FLUSH', true],
    ['XINFO', ['STREAM', 'stream'], 'XINFO STREAM', false],
    ['XPENDING', ['stream', 'group'], 'XPENDING', false],
    ['CLIENT', ['UNBLOCK', 7], 'CLIENT UNBLOCK', false],
    ['PING', [], 'PING', false],
  ] as const)('%s %j is %s', ([command, args, name, writes]) => {
    expect(redisPoint(command, args)).toEqual({ name, writes });
  });

  it('is, for a script, what it may write', () => {
    const source = `
      local found = redis.call('XPENDING', KEYS[1], ARGV[1])
      for _, id in ipairs(found) do redis.pcall("xclaim", KEYS[1], id) end
      redis.call( 'XGROUP', 'DELCONSUMER', KEYS[1] )
      redis.call('XCLAIM', KEYS[1])`;
    expect(redisScriptPoint(source)).toEqual({
      name: 'SCRIPT (XCLAIM, XGROUP DELCONSUMER)',
      writes: true,
    });
  });

  it('is, for a script that only reads, what it reads', () => {
    const source = "return redis.call('XINFO', 'GROUPS', KEYS[1])";
    expect(redisScriptPoint(source)).toEqual({ name: 'SCRIPT (XINFO GROUPS)', writes: false });
  });
});
