import {
  describeDelivery,
  describePlantedFaults,
  describeTransport,
  plantedDeliveryFaults,
  plantedTransportFaults,
} from '@waybill/core/conformance';
import { describe, it } from 'vitest';

import { hasRedis } from '../../../scripts/services/test-redis.ts';
import { streamConformance } from '../test/conformance-options.ts';

const api = { describe, it };
const timeoutMs = 1_000;

// Most of the time goes by in waiting for what a fault keeps from coming, so several are tried at once.
describe.skipIf(!hasRedis())('Redis 7.0', { concurrent: true }, () => {
  const { transport, deliveryWithDatabase } = streamConformance('7.0');
  describePlantedFaults(
    'the stream transport',
    {
      describeSuite: describeTransport,
      options: transport,
      faults: plantedTransportFaults,
      timeoutMs,
    },
    api,
  );
  describePlantedFaults(
    'deliveries over streams',
    {
      describeSuite: describeDelivery,
      options: deliveryWithDatabase,
      faults: plantedDeliveryFaults,
      timeoutMs,
    },
    api,
  );
});
