// Inputs 52 and 55 on Redis: names of groups.

import { afterAll, beforeAll } from 'vitest';

import { hasRedis } from '../../scripts/services/test-redis.ts';
import { describeNamesOfGroups, redisWires } from './cases/groups.ts';
import { openTestRedis, type TestKeys } from './support/open-test-redis.ts';

let keys: TestKeys | undefined;
beforeAll(() => {
  if (hasRedis()) keys = openTestRedis();
});
afterAll(() => keys?.clear());

describeNamesOfGroups('Redis', hasRedis() ? async () => redisWires(keys!) : undefined);
