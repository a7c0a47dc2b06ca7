import {
  describeEventStore,
  describeIdempotencyStore,
  describeTransactions,
} from '@waybill/core/conformance';
import type { TestApi } from '@waybill/core/conformance';

import type { ConformanceBench } from './conformance-bench.ts';
import { conformanceOptions } from './conformance-options.ts';

/** Runs the suites of what is stored. */
export function describeStores(bench: ConformanceBench, api: TestApi): void {
  const { name } = bench;
  const { eventStore, idempotency, outbox } = conformanceOptions(bench);
  describeEventStore(name, eventStore, api);
  describeIdempotencyStore(name, idempotency, api);
  describeTransactions(name, outbox, api);
}
