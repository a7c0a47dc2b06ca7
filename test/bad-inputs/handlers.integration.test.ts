// Inputs 65 to 72: handlers that misbehave, where nothing but Redis is there.

import { afterAll, beforeAll } from 'vitest';

import { hasRedis } from '../../scripts/services/test-redis.ts';
import { describeHandlers } from './cases/handlers.ts';
import { redisDock } from './support/dock.ts';
import { openTestRedis, type TestKeys } from './support/open-test-redis.ts';

let keys: TestKeys | undefined;
beforeAll(() => {
  if (hasRedis()) keys = openTestRedis();
});
afterAll(() => keys?.clear());

describeHandlers('Redis', hasRedis() ? async () => redisDock(keys!, 150) : undefined);
