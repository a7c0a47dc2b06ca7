import { findRedis } from './find-redis.ts';
import { freePort } from './free-port.ts';
import { launchRedis, pingRedis, portWasTaken, randomPassword } from './redis-server.ts';
import { redisVersions, type RedisVersion } from './redis-versions.ts';
import type { Service } from './service.ts';
import { startServer, waitUntilAnswers } from './start-server.ts';

/**
 * A Redis server with empty data of its own.
 *
 * @param variable The environment variable that holds its URL; where absent, the version's own one.
 */
export function redis(version: RedisVersion, variable?: string): Service {
  const facts = redisVersions[version];
  return {
    name: facts.name,
    variable: variable ?? facts.variable,
    waitUntilReady: (url, deadlineMs) => waitUntilAnswers(() => pingRedis(url), deadlineMs),
    async start(say) {
      const command = await findRedis(facts, say);
      return startServer({
        name: facts.name,
        launch: async () =>
          launchRedis({ command, version, port: await freePort(), password: randomPassword() }),
        ping: pingRedis,
        portWasTaken,
      });
    },
  };
}
