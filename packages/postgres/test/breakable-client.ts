import { EventError } from '@waybill/core';
import type { TransactionOptions } from '@waybill/core';

import type {
  SqlClient,
  SqlResult,
  SqlTransaction,
  StatementOptions,
} from '../src/client/sql-client.ts';

/** A client whose database can be taken away, wholly or for some statements. */
export class BreakableClient implements SqlClient {
  readonly dialect: SqlClient['dialect'];
  /** Says which statements fail as if the database were away. */
  fails: (text: string) => boolean = () => false;
  /** What those that fail are told. */
  failure: () => EventError = away;
  /** While this is pending, statements get no answer. */
  silence: Promise<void> | undefined;
  /** Runs between a statement and its answer. */
  afterQuery: ((text: string) => Promise<void>) | undefined;
  readonly #inner: SqlClient;

  constructor(inner: SqlClient) {
    this.#inner = inner;
    this.dialect = inner.dialect;
  }

  async query<Row extends object = Record<string, unknown>>(
    text: string,
    params?: readonly unknown[],
    options?: StatementOptions,
  ): Promise<SqlResult<Row>> {
    await this.silence;
    if (this.fails(text)) throw this.failure();
    const result = await this.#inner.query<Row>(text, params, options);
    await this.afterQuery?.(text);
    return result;
  }

  async run<T>(work: (tx: SqlTransaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    await this.silence;
    if (this.fails('BEGIN')) throw this.failure();
    return await this.#inner.run(work, options);
  }

  async listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>> {
    return await this.#inner.listen(channel, heard);
  }

  assertFree(): void {
    this.#inner.assertFree?.();
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }
}

/** A database that is away. */
export function away(): EventError {
  return new EventError('STORE_UNAVAILABLE', 'the database is away', { sqlState: undefined });
}
