import {
  describeDeadLetterQueue,
  describeIdempotencyStore,
  describePlantedFaults,
  plantedDeadLetterFaults,
  plantedIdempotencyFaults,
} from '@waybill/core/conformance';
import { afterAll, beforeAll, describe, it } from 'vitest';

import { hasRedis } from '../../../scripts/services/test-redis.ts';
import { conformanceOptions, StoreBench } from '../test/store-bench.ts';

const api = { describe, it };

describe.skipIf(!hasRedis())('Redis 7.0', () => {
  const bench = new StoreBench();
  beforeAll(() => bench.open());
  afterAll(() => bench.close());
  const { deadLetters, idempotency } = conformanceOptions(bench);

  describePlantedFaults(
    'the dead-letter queue',
    {
      describeSuite: describeDeadLetterQueue,
      options: deadLetters,
      faults: plantedDeadLetterFaults,
    },
    api,
  );
  describePlantedFaults(
    'the idempotency store',
    {
      describeSuite: describeIdempotencyStore,
      options: idempotency,
      faults: plantedIdempotencyFaults,
    },
    api,
  );
});
