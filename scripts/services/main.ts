// npm run services [-- --redis <version>]: runs the servers in the foreground, for a person who runs single
// tests against them.

import { parseArgs } from 'node:util';
import { isRedisVersion, redisVersions, type RedisVersion } from './redis-versions.ts';
import { servicesWith } from './services.ts';
import { startServices } from './start-services.ts';

const PARENT_CHECK_MS = 500;

const parent = process.ppid;
const { version, environment } = readArguments();
const started = await startServices(servicesWith(version), environment);

const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<void>();
// Before anything is printed: whoever reads that the servers are there may want them to stop at once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupt);
for (const { name, reason } of started.missing) console.error(`${name} is missing: ${reason}`);
for (const [variable, url] of Object.entries(started.urls)) {
  console.log(`export ${variable}=${url}`);
}
console.error('Paste these lines into another terminal. Ctrl-C stops the servers.');

// A parent that was killed cannot pass a signal on; its children get another parent.
const watch = setInterval(() => process.ppid === parent || interrupt(), PARENT_CHECK_MS);
try {
  await Promise.race([interrupted, started.failure]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  clearInterval(watch);
  await started.stop();
}

function readArguments(): { version: RedisVersion; environment: NodeJS.ProcessEnv } {
  try {
    const { redis } = parseArgs({ options: { redis: { type: 'string' } } }).values;
    if (redis === undefined) return { version: '7.0', environment: process.env };
    if (!isRedisVersion(redis)) {
      throw new Error(
        `No such Redis: ${redis}. There is: ${Object.keys(redisVersions).join(', ')}.`,
      );
    }
    // Who asks for a version does not want the server whose URL the terminal happens to have.
    return { version: redis, environment: { ...process.env, REDIS_URL: undefined } };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}
