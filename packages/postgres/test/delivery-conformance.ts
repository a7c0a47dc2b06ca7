import {
  describeDeadLetterQueue,
  describeDelivery,
  describeInbox,
  describeOutbox,
  describeTransport,
} from '@waybill/core/conformance';
import type { TestApi } from '@waybill/core/conformance';

import type { ConformanceBench } from './conformance-bench.ts';
import { conformanceOptions } from './conformance-options.ts';

/** Runs the suites of what happens to an event after it is stored, the engine's own among them. */
export function describeDeliveries(bench: ConformanceBench, api: TestApi): void {
  const { name } = bench;
  const { outbox, inbox, deadLetters, transport, delivery } = conformanceOptions(bench);
  describeOutbox(name, outbox, api);
  describeInbox(name, inbox, api);
  describeDeadLetterQueue(name, deadLetters, api);
  describeTransport(name, transport, api);
  describeDelivery(name, delivery, api);
}
