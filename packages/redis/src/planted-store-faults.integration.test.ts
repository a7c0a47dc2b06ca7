import {
  describeDeadLetterQueue,
  describeHandoverQueue,
  describeIdempotencyStore,
  describePlantedFaults,
  plantedDeadLetterFaults,
  plantedHandoverFaults,
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
  const { deadLetters, handovers, idempotency } = conformanceOptions(bench);

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
    'the handover queue',
    { describeSuite: describeHandoverQueue, options: handovers, faults: plantedHandoverFaults },
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
