import type { EventEnvelope, EventPage, EventQueryOptions, Observer } from '@waybill/core';

import { toEvent } from './event-columns.ts';
import type { EventColumn, StoredRow } from './event-columns.ts';
import { beginning, decodeCursor, encodeCursor, foreignCursor } from './event-cursor.ts';
import type { EventCursor } from './event-cursor.ts';
import { checkedLimit, optionConditions, selectEvents } from './event-query.ts';
import type { Condition } from './event-query.ts';
import { chosenDatabase } from '../client/chosen-database.ts';
import { quoteIdentifier } from '../client/quote-identifier.ts';
import type { ReadHorizon } from './read-horizon.ts';
import type { SqlClient, SqlQueryable } from '../client/sql-client.ts';

/** Reads events of one table: by conditions in the handler's transaction, or on from a cursor. */
export class EventReader<E extends EventEnvelope> {
  readonly #client: SqlClient;
  readonly #columns: readonly EventColumn[];
  readonly #from: { readonly table: string; readonly columns: string };
  readonly #horizon: ReadHorizon;
  readonly #observer: Observer;

  /** @param table Qualified and quoted. */
  constructor(options: {
    readonly client: SqlClient;
    readonly table: string;
    readonly columns: readonly EventColumn[];
    readonly horizon: ReadHorizon;
    readonly observer: Observer;
  }) {
    const { client, table, columns, horizon, observer } = options;
    this.#client = client;
    this.#columns = columns;
    const names = columns.map(({ column }) => quoteIdentifier(column));
    const own = ['sequence_number', 'created_at', 'destination', 'ordering_key'];
    this.#from = { table, columns: [...own, ...names].join(', ') };
    this.#horizon = horizon;
    this.#observer = observer;
  }

  /** The transaction around the call, so that it sees what it has written; else the client. */
  database(): Promise<SqlQueryable> {
    return chosenDatabase(this.#client);
  }

  async select(conditions: readonly Condition[], options: EventQueryOptions = {}): Promise<E[]> {
    const all = [...conditions, ...optionConditions(options)];
    const { text, params } = selectEvents(this.#from, all, options);
    const { rows } = await (
      await this.database()
    ).query<StoredRow>(text, params, { prepared: true });
    return rows.map((row) => toEvent<E>(row, this.#columns));
  }

  /** Outside any transaction: what is not committed is not there yet. */
  async readFrom(cursor: string | null, limit?: number): Promise<EventPage<E>> {
    const most = checkedLimit(limit);
    const after = cursor === null ? undefined : decodeCursor(cursor);
    const from = after?.position ?? 0n;
    const known = this.#horizon.safe;
    const upTo = known > from ? known : await this.#horizon.beyond(from, this.#observer);
    let rows = await this.#rowsAfter(after, upTo, most);
    // Numbers that were drawn and never committed lie between the cursor and an older horizon.
    if (rows.length === 0 && upTo === known) {
      const next = await this.#horizon.beyond(known, this.#observer);
      if (next > known) rows = await this.#rowsAfter(after, next, most);
    }
    return this.#toPage(rows, cursor ?? beginning);
  }

  /** The row of the cursor comes along, to see whether it is still the same event. */
  async #rowsAfter(
    after: EventCursor | undefined,
    upTo: bigint,
    limit: number,
  ): Promise<StoredRow[]> {
    const first = after?.position ?? 1n;
    const last = upTo > first ? upTo : first;
    const { rows } = await this.#client.query<StoredRow>(
      `SELECT ${this.#from.columns} FROM ${this.#from.table}
       WHERE sequence_number BETWEEN $1 AND $2 ORDER BY sequence_number LIMIT $3`,
      [first, last, after ? limit + 1 : limit],
      { prepared: true },
    );
    if (!after) return rows.filter((row) => row.sequence_number <= upTo);
    assertSameEvent(after, rows[0]);
    return rows.slice(1);
  }

  #toPage(rows: readonly StoredRow[], cursor: string): EventPage<E> {
    const last = rows.at(-1);
    return {
      events: rows.map((row) => ({
        position: row.sequence_number,
        event: toEvent<E>(row, this.#columns),
        ...routeOf(row),
      })),
      cursor: last ? encodeCursor(cursorOf(last)) : cursor,
    };
  }
}

function routeOf({ destination, ordering_key: key }: StoredRow): {
  destination?: string;
  key?: string;
} {
  return { ...(destination ? { destination } : {}), ...(key ? { key } : {}) };
}

function cursorOf(row: StoredRow): EventCursor {
  return { position: row.sequence_number, source: row.source, id: row.event_id };
}

function assertSameEvent(cursor: EventCursor, row: StoredRow | undefined): void {
  const { position, source, id } = cursor;
  const found = row?.sequence_number === position ? row : undefined;
  if (found?.source === source && found.event_id === id) return;
  const what = found ? `is ${found.event_id} of ${found.source}` : 'is not there';
  throw foreignCursor(encodeCursor(cursor), `event ${id} of ${source} at ${position} ${what}`);
}
