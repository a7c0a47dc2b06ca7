import type { DeadLetterQueue } from '../consume/dead-letter-queue.ts';
import { failureOf } from './dead-letter-queue/failures.ts';
import { describeListing } from './dead-letter-queue/listing.ts';
import { describeRecording } from './dead-letter-queue/recording.ts';
import { describeRedriving } from './dead-letter-queue/redriving.ts';
import type { StoreConformanceOptions } from './store/store-bench.ts';
import { describeTransactionChoice } from './store/transaction-choice.ts';
import type { TestApi } from './test-api.ts';

/**
 * The law of `DeadLetterQueue`.
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
    describeRecording(options, api);
    describeListing(options, api);
    describeRedriving(options, api);
    describeTransactionChoice(
      {
        what: 'a dead letter',
        prepare: async (b) => {
          const failure = failureOf(b.event());
          return {
            write: (choice) => b.store.add(failure, choice),
            isThere: async () => (await b.store.list()).length > 0,
          };
        },
      },
      options,
      api,
    );
  });
}
