import {
  describeDeadLetterQueue,
  describeHandoverQueue,
  describeIdempotencyStore,
} from '@waybill/core/conformance';
import { afterAll, beforeAll, describe, it } from 'vitest';

import { redisVersions, type RedisVersion } from '../../../scripts/services/redis-versions.ts';
import { hasRedis } from '../../../scripts/services/test-redis.ts';
import { conformanceOptions, StoreBench } from '../test/store-bench.ts';

const api = { describe, it };

for (const version of Object.keys(redisVersions) as RedisVersion[]) {
  const { name } = redisVersions[version];
  describe.skipIf(!hasRedis(version))(`stores on ${name}`, () => {
    const bench = new StoreBench(version);
    beforeAll(() => bench.open());
    afterAll(() => bench.close());
    const { deadLetters, handovers, idempotency } = conformanceOptions(bench);
    describeDeadLetterQueue(name, deadLetters, api);
    describeHandoverQueue(name, handovers, api);
    describeIdempotencyStore(name, idempotency, api);
  });
}
