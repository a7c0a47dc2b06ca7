import { EventError, isEventError } from '@waybill/core';
import {
  GroupCommit,
  assertJson,
  assertTransactionChoice,
  checkEnvelope,
  chosenTransaction,
  runOutsideScope,
} from '@waybill/core/adapter';
import type {
  AppendBatchOptions,
  AppendOptions,
  Clock,
  EventEnvelope,
  Profile,
  TransactionChoice,
} from '@waybill/core';

import { EventAppender } from './append-events.ts';
import type { AppendOutcome } from './append-events.ts';
import { columnsOf, toRow } from './event-columns.ts';
import type { EventColumn, EventRow, Route } from './event-columns.ts';
import { assertExpectedPosition, lockSubject } from './expected-position.ts';
import { joinable } from '../client/joinable.ts';
import { retryPassing } from '../client/retry-passing.ts';
import type { SqlClient, SqlQueryable } from '../client/sql-client.ts';

/** Beyond this, a larger group gains nothing and makes its callers wait. */
const maxGroupSize = 500;

/**
 * Appends events to one table.
 *
 * Single appends that come while another one is under way go together in the next statement. An
 * append may be repeated by itself after a lost connection: the same ids keep their rows.
 */
export class EventWriter {
  readonly #client: SqlClient;
  readonly #table: string;
  readonly #profile: Profile;
  readonly #columns: readonly EventColumn[];
  readonly #clock: Clock;
  readonly #appender: EventAppender;
  readonly #group: GroupCommit<EventRow, AppendOutcome>;

  /** @param table Qualified and quoted. */
  constructor(client: SqlClient, table: string, profile: Profile, clock: Clock) {
    const columns = columnsOf(profile);
    this.#client = client;
    this.#table = table;
    this.#profile = profile;
    this.#columns = columns;
    this.#clock = clock;
    this.#appender = new EventAppender(table, columns);
    this.#group = new GroupCommit({
      flush: (rows) =>
        runOutsideScope(() => retryPassing(clock, () => this.#appender.append(client, rows))),
      maxItems: maxGroupSize,
      isItemFault: (error) => isEventError(error, 'STORE_REJECTED'),
    });
  }

  async append(event: EventEnvelope, options: AppendOptions = {}): Promise<bigint> {
    assertTransactionChoice('append', options, { expectedPosition: true });
    const row = this.#rowOf(event);
    const { expectedPosition } = options;
    if (expectedPosition !== undefined) {
      return await this.#inTransaction(options, (db) =>
        this.#appendExpecting(db, row, expectedPosition),
      );
    }
    const tx = await chosenTransaction(options, this.#client);
    if (tx) return position((await this.#appender.append(joinable(tx), [row]))[0]!);
    this.#client.assertFree?.();
    return position(await this.#group.add(row));
  }

  async appendBatch(
    events: readonly EventEnvelope[],
    options?: AppendBatchOptions,
  ): Promise<bigint[]> {
    assertTransactionChoice('appendBatch', options, { route: true });
    const route = options?.route;
    const rows = events.map((event, index) =>
      this.#rowOf(event, route && { destination: route.destination, key: route.keys[index]! }),
    );
    if (rows.length === 0) return [];
    return await this.#inTransaction(options, (db) => this.#appender.appendAll(db, rows));
  }

  /** Resolves when everything appended so far has been written or refused. */
  settled(): Promise<void> {
    return this.#group.settled();
  }

  /** Nothing comes back from the store that was not put into it, so what it would change is refused. */
  #rowOf(event: EventEnvelope, route?: Route): EventRow {
    checkEnvelope(event, this.#profile);
    assertJson(event.data, event, Number.POSITIVE_INFINITY);
    return toRow(event, this.#columns, route);
  }

  async #appendExpecting(
    db: SqlQueryable,
    row: EventRow,
    expected: bigint | null,
  ): Promise<bigint> {
    await lockSubject(db, this.#table, row);
    // An append whose outcome got lost is repeated with the expectation that it had then.
    const known = await this.#appender.findSame(db, row);
    if (known !== undefined) return position(known);
    await assertExpectedPosition(db, this.#table, row, expected);
    return position((await this.#appender.append(db, [row]))[0]!);
  }

  /** The chosen transaction, which is the caller's to repeat, or one of our own. */
  async #inTransaction<T>(
    options: TransactionChoice | undefined,
    work: (db: SqlQueryable) => Promise<T>,
  ): Promise<T> {
    const tx = await chosenTransaction(options, this.#client);
    if (tx) return await work(joinable(tx));
    return await retryPassing(this.#clock, () => this.#client.run(work, { holds: 'briefly' }));
  }
}

function position(outcome: AppendOutcome): bigint {
  if (outcome instanceof EventError) throw outcome;
  return outcome;
}
