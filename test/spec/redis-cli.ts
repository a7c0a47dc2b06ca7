import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { findRedis } from '../../scripts/services/find-redis.ts';
import { redisVersions } from '../../scripts/services/redis-versions.ts';

/**
 * Finds the real `redis-cli`, which comes with the server.
 *
 * @returns Runs one line of a shell in which `redis-cli` reaches the server at this address, and gives back
 *   what it printed, line by line.
 */
export async function redisCli(address: string): Promise<(line: string) => Promise<string[]>> {
  const { hostname, port, password } = new URL(address);
  const server = await findRedis(redisVersions['7.0'], console.error);
  const client = [...server.slice(0, -1), server.at(-1)!.replace(/redis-server$/, 'redis-cli')];
  const command = [...client, '-h', hostname, '-p', port].map((word) => `'${word}'`).join(' ');
  const env = { ...process.env, REDISCLI_AUTH: password };
  return async (line) => {
    const script = `redis-cli() { command ${command} "$@"; }\n${line}`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { env });
    return stdout.replace(/\n$/, '').split('\n');
  };
}
