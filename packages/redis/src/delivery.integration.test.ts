import { describeDelivery, describeTransport } from '@waybill/core/conformance';
import { describe, it } from 'vitest';

import { redisVersions, type RedisVersion } from '../../../scripts/services/redis-versions.ts';
import { hasRedis } from '../../../scripts/services/test-redis.ts';
import { streamConformance } from '../test/conformance-options.ts';

const api = { describe, it };

for (const version of Object.keys(redisVersions) as RedisVersion[]) {
  const { name } = redisVersions[version];
  describe.skipIf(!hasRedis(version))(`streams of ${name}`, { concurrent: true }, () => {
    const { transport, delivery, deliveryWithDatabase } = streamConformance(version);
    // These cases wait more than they work, so they run side by side.
    describeTransport(name, transport, api);
    describeDelivery(name, delivery, api);
    if (version === '7.0') describeDelivery(`${name} with a database`, deliveryWithDatabase, api);
  });
}
