import type { Outbox } from '../publish/outbox.ts';
import { describeDestinations } from './outbox/destinations.ts';
import { describeDraining } from './outbox/draining.ts';
import { to } from './outbox/outbox-cases.ts';
import { describeRefusals } from './outbox/refusals.ts';
import type { StoreConformanceOptions } from './store/store-bench.ts';
import { describeTransactionChoice } from './store/transaction-choice.ts';
import type { TestApi } from './test-api.ts';

/**
 * The law of `Outbox`.
 *
 * @param name Of the adapter, for the report.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describeOutbox(
  name: string,
  options: StoreConformanceOptions<Outbox>,
  api: TestApi,
): void {
  api.describe(`outbox ${name}`, () => {
    describeDraining(options, api);
    describeRefusals(options, api);
    describeDestinations(options, api);
    describeTransactionChoice(
      {
        what: 'a message',
        prepare: async (b) => ({
          write: (choice) => b.store.add([b.message()], { ...to, ...choice }),
          isThere: async () => (await b.store.status()).waiting > 0,
        }),
      },
      options,
      api,
    );
  });
}
