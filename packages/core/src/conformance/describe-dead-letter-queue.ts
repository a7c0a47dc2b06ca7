import type { DeadLetterQueue } from '../consume/dead-letter-queue.ts';
import { describeListing } from './dead-letter-queue/listing.ts';
import { describeRedriving } from './dead-letter-queue/redriving.ts';
import { describeDeadLetterSink } from './describe-dead-letter-sink.ts';
import type { StoreConformanceOptions } from './store/store-bench.ts';
import type { TestApi } from './test-api.ts';

/**
 * The law of `DeadLetterQueue`, that of `DeadLetterSink` included.
 *
 * @param name Of the adapter, for the report.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describeDeadLetterQueue(
  name: string,
  options: StoreConformanceOptions<DeadLetterQueue>,
  api: TestApi,
): void {
  api.describe(`dead-letter queue ${name}`, () => {
    describeDeadLetterSink(name, options, api);
    describeListing(options, api);
    describeRedriving(options, api);
  });
}
