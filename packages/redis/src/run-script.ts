import type { RedisCaller } from './redis-caller.ts';
import { redisError } from './redis-errors.ts';
import type { RedisArgument } from './redis-like.ts';
import type { RedisScript } from './redis-script.ts';

/** Runs a script. @throws {EventError} `TRANSPORT_UNAVAILABLE`, `NOT_CONNECTED` */
export async function runScript<Reply>(
  caller: RedisCaller,
  script: RedisScript<Reply>,
  options: { doing: string; keys: readonly string[]; args: readonly RedisArgument[] },
): Promise<Reply> {
  const { doing, keys, args } = options;
  try {
    return await script.run(caller.send, keys, args);
  } catch (error) {
    throw redisError(error, doing);
  }
}
