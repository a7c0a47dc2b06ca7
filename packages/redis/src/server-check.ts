import { EventError, type Observer } from '@waybill/core';

import { replyCodeOf } from './redis-errors.ts';
import type { RedisCall } from './redis-script.ts';

const oldest = [6, 2] as const;

/**
 * Makes sure that a server can do what is needed, and says so if it may throw streams away.
 *
 * @throws {EventError} `CAPABILITY_MISSING` if it is older than 6.2.
 */
export async function checkServer(call: RedisCall, observe: Observer): Promise<void> {
  const info = await askInfo(call);
  if (info === undefined) return;
  const field = (name: string): string =>
    new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const isValkey = field('server_name') === 'valkey';
  const version = isValkey ? field('valkey_version') : field('redis_version');
  const name = `${isValkey ? 'Valkey' : 'Redis'} ${version}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    throw new EventError(
      'CAPABILITY_MISSING',
      `${name} is too old for consumers that take over from each other; use Redis ${oldest.join('.')} or newer, or Valkey`,
      { transport: 'redis', capability: 'XPENDING IDLE' },
    );
  }
  const policy = field('maxmemory_policy');
  if (policy.startsWith('allkeys')) {
    observe({
      kind: 'warning',
      code: 'BROKER_EVICTS',
      message: `${name} throws away streams and groups when its memory is full (maxmemory-policy ${policy}); run: CONFIG SET maxmemory-policy noeviction`,
    });
  }
}

/** Nothing where the user may not ask; then the server has to be taken as it is. */
async function askInfo(call: RedisCall): Promise<string | undefined> {
  try {
    return String(await call('INFO'));
  } catch (error) {
    if (replyCodeOf(error) === 'NOPERM') return undefined;
    throw error;
  }
}
