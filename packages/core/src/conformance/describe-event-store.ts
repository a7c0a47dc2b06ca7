import { describeAppending } from './event-store/appending.ts';
import { describeCursors } from './event-store/cursors.ts';
import type { EventStoreConformanceOptions } from './event-store/event-store-options.ts';
import { describeQueries } from './event-store/queries.ts';
import { describeVersions } from './event-store/versions.ts';
import { describeTransactionChoice } from './store/transaction-choice.ts';
import type { TestApi } from './test-api.ts';

/**
 * The law of `EventStore`.
 *
 * @param name Of the adapter, for the report.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describeEventStore(
  name: string,
  options: EventStoreConformanceOptions,
  api: TestApi,
): void {
  api.describe(`event store ${name}`, () => {
    describeAppending(options, api);
    describeVersions(options, api);
    describeQueries(options, api);
    describeCursors(options, api);
    describeTransactionChoice(
      {
        what: 'an event',
        prepare: async (b) => {
          const event = b.event();
          return {
            write: (choice) => b.store.append(event, choice),
            isThere: async () => (await b.store.getById(event.id)) !== null,
          };
        },
      },
      options,
      api,
    );
    describeTransactionChoice(
      {
        what: 'a batch',
        prepare: async (b) => {
          const events = [b.event(), b.event()];
          return {
            write: (choice) => b.store.appendBatch(events, choice),
            isThere: async () => (await b.store.getCount()) > 0,
          };
        },
      },
      options,
      api,
    );
  });
}
