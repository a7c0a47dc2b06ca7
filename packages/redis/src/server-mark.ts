import { assertName } from '@waybill/core/adapter';

import type { RedisCaller } from './redis-caller.ts';
import { RedisScript } from './redis-script.ts';
import { runScript } from './run-script.ts';
import type { StreamNames } from './stream-names.ts';

/** `KEYS`: the mark. `ARGV`: what it becomes if there is none. @returns The mark that there is now. */
const mark = new RedisScript<string>(`
-- Asked first, since a server that is full refuses SET also where it would do nothing.
local found = redis.call('GET', KEYS[1])
if found then return found end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]`);

/**
 * Marks a server, unless it is marked already, so that it can be told from another one under the same name.
 *
 * @param candidate 1 to 255 characters, unlike those of any other server.
 * @returns The mark that it bears now.
 * @throws {EventError} `TRANSPORT_UNAVAILABLE`, `NOT_CONNECTED`
 */
export async function markServer(
  caller: RedisCaller,
  { marker }: StreamNames,
  candidate: string,
): Promise<string> {
  assertName('a mark', candidate);
  const doing = `mark itself in the key ${marker}, with GET and SET`;
  return await runScript(caller, mark, { doing, keys: [marker], args: [candidate] });
}
