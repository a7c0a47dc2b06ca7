import {
  describeDeadLetterQueue,
  describeDelivery,
  describeHandoverQueue,
  describeInbox,
  describeOutbox,
  describeTransport,
} from '@waybill/core/conformance';
import type { TestApi } from '@waybill/core/conformance';

import type { ConformanceBench } from './conformance-bench.ts';
import { conformanceOptions } from './conformance-options.ts';

/** Runs the suites of what an event leaves behind on its way. */
export function describeDeliveryStores(bench: ConformanceBench, api: TestApi): void {
  const { name } = bench;
  const { outbox, inbox, deadLetters, handovers } = conformanceOptions(bench);
  describeOutbox(name, outbox, api);
  describeInbox(name, inbox, api);
  describeDeadLetterQueue(name, deadLetters, api);
  describeHandoverQueue(name, handovers, api);
}

/** Runs the suites of the way itself: the log, and the engine over it. Cases may run side by side. */
export function describeDeliveries(bench: ConformanceBench, api: TestApi): void {
  const { name } = bench;
  const { transport, delivery } = conformanceOptions(bench);
  describeTransport(name, transport, api);
  describeDelivery(name, delivery, api);
}
