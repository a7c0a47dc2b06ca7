import type { RedisCaller } from '../src/redis-caller.ts';
import type { Redis } from 'ioredis';

/**
 * Sends every command twice and gives back the second answer, as a client does that lost its connection
 * before the first answer came.
 */
export function twice(client: Redis): RedisCaller {
  return {
    async send(command, ...args) {
      await client.call(command, ...args);
      return await client.call(command, ...args);
    },
    close() {},
  };
}
