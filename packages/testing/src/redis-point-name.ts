/** What a command does, as a name for people. */
export interface RedisPoint {
  /** Such as `XACK` or `XGROUP CREATE`; of a script, what it may write, as in `SCRIPT (XCLAIM, XACK)`. */
  readonly name: string;
  /** True if something of it may outlive the connection. */
  readonly writes: boolean;
}

/** Commands that only read, or set up the connection. */
const harmless = new Set(
  `AUTH CLIENT CONFIG ECHO EXISTS GET HELLO HGET HGETALL HMGET INFO LLEN LRANGE MGET PING PTTL SELECT
   SISMEMBER SMEMBERS TIME TTL TYPE XINFO XLEN XPENDING XRANGE XREAD XREVRANGE ZRANGE ZRANGEBYSCORE
   ZSCORE`.split(/\s+/),
);

/** Commands of which the second word says what they do. */
const containers = new Set(['CLIENT', 'CONFIG', 'SCRIPT', 'XGROUP', 'XINFO']);

/** `redis.call('XGROUP', 'CREATE'` in Lua, with any quotes. */
const calls = /redis\.p?call\(\s*['"](\w+)['"](?:\s*,\s*['"](\w+)['"])?/gi;

/** Names a command that is no script. */
export function redisPoint(command: string, args: readonly unknown[]): RedisPoint {
  const [second] = args;
  const name = nameOf(command, typeof second === 'string' ? second : '');
  return { name, writes: !harmless.has(command.toUpperCase()) };
}

/** Names a script after the commands that stand in it: those that write, or else those that read. */
export function redisScriptPoint(source: string): RedisPoint {
  const found = [...source.matchAll(calls)].map(([, command, second = '']) => ({
    name: nameOf(command!, second),
    writes: !harmless.has(command!.toUpperCase()),
  }));
  const writing = found.filter(({ writes }) => writes);
  const shown = writing.length > 0 ? writing : found;
  const names = [...new Set(shown.map(({ name }) => name))];
  return { name: `SCRIPT (${names.join(', ')})`, writes: writing.length > 0 };
}

function nameOf(command: string, second: string): string {
  const upper = command.toUpperCase();
  return containers.has(upper) && second !== '' ? `${upper} ${second.toUpperCase()}` : upper;
}
