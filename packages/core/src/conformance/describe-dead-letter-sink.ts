import type { DeadLetterSink } from '../consume/dead-letter-sink.ts';
import { failureOf, findOne, keyOf } from './dead-letter-queue/failures.ts';
import { describeFinding } from './dead-letter-queue/finding.ts';
import { describeRecording } from './dead-letter-queue/recording.ts';
import type { StoreConformanceOptions } from './store/store-bench.ts';
import { describeTransactionChoice } from './store/transaction-choice.ts';
import type { TestApi } from './test-api.ts';

/**
 * The law of `DeadLetterSink`. A `DeadLetterQueue` is tested for it by `describeDeadLetterQueue`.
 *
 * @param name Of the adapter, for the report.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describeDeadLetterSink(
  name: string,
  options: StoreConformanceOptions<DeadLetterSink>,
  api: TestApi,
): void {
  api.describe(`dead-letter sink ${name}`, () => {
    describeRecording(options, api);
    describeFinding(options, api);
    describeTransactionChoice(
      {
        what: 'a dead letter',
        prepare: async (b) => {
          const failure = failureOf(b.event());
          return {
            write: (choice) => b.store.add(failure, choice),
            isThere: async () => (await findOne(b.store, keyOf(failure))) !== null,
          };
        },
      },
      options,
      api,
    );
  });
}
