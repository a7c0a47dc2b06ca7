import { loadPg } from './pg-driver.ts';
import type { PgPool, PgPoolClient, PgQueryResult } from './pg-driver.ts';
import type { PgTypes } from './pg-types.ts';
import type { RawConnection, RawResult } from './raw-connection.ts';
import type { StatementOptions } from './sql-client.ts';
import { sqlStateOf, toLoginError, toStoreError } from './sql-errors.ts';
import { statementName } from './statement-name.ts';

const readOnly = '25006';

/** Pools that have had a connection: a refusal later on is waited out. */
const haveWorked = new WeakSet<PgPool>();

/** A client checked out of a `pg` pool, until `release`. */
export class PgConnection implements RawConnection {
  readonly client: PgPoolClient;
  readonly #types: PgTypes;
  readonly #prepares: boolean;
  #discarded = false;
  /** Called once it was given back. */
  onReleased: (() => void) | undefined;

  constructor(client: PgPoolClient, types: PgTypes, prepares: boolean) {
    this.client = client;
    this.#types = types;
    this.#prepares = prepares;
    client.on('error', ignoreError);
  }

  /**
   * @param prepares False where a pooler in between hands each transaction to another session.
   * @throws {EventError} `STORE_UNAVAILABLE` if the database cannot be reached; `ACCESS_REFUSED` if it refuses
   *   its user, which is retryable once the pool has had a connection.
   */
  static async checkOut(pool: PgPool, prepares: boolean): Promise<PgConnection> {
    const { types } = await loadPg();
    try {
      const client = await pool.connect();
      haveWorked.add(pool);
      return new PgConnection(client, types, prepares);
    } catch (error) {
      throw toLoginError(error, haveWorked.has(pool));
    }
  }

  async execute<Row extends object>(
    text: string,
    params?: readonly unknown[],
    { prepared = false }: StatementOptions = {},
  ): Promise<RawResult<Row>> {
    const name = prepared && this.#prepares ? statementName(text) : undefined;
    try {
      return await executeOn<Row>(this.client, this.#types, text, params, name);
    } catch (error) {
      // A session that began while writing was forbidden goes on like that when it is allowed again.
      if (sqlStateOf(error) === readOnly) this.discard();
      throw error;
    }
  }

  discard(): void {
    this.#discarded = true;
  }

  /** Gives the client back to the pool, or closes it if it was discarded. */
  release(): void {
    this.client.removeListener('error', ignoreError);
    // A discarded client may still report the end of its socket.
    if (this.#discarded) this.client.on('error', ignoreError);
    this.client.release(this.#discarded);
    this.onReleased?.();
  }
}

/**
 * Runs a statement on any `pg` client with our parsers and errors. Without `params` the text may hold
 * several statements; the last one's result comes back.
 *
 * @param name Under which the session keeps the statement; it is not kept unless given.
 */
export async function executeOn<Row extends object>(
  client: Pick<PgPoolClient, 'query'>,
  types: PgTypes,
  text: string,
  params?: readonly unknown[],
  name?: string,
): Promise<RawResult<Row>> {
  try {
    const answer = await client.query({ name, text, values: params, types });
    const result = Array.isArray(answer) ? answer.at(-1) : answer;
    return toRawResult<Row>(result);
  } catch (error) {
    throw toStoreError(error);
  }
}

function toRawResult<Row>(result: PgQueryResult | undefined): RawResult<Row> {
  return {
    rows: (result?.rows ?? []) as Row[],
    rowCount: result?.rowCount ?? 0,
    command: result?.command,
  };
}

/** A lost connection also fails the statement under way, or the next one; without a listener it would end the process. */
function ignoreError(): void {}
