import { EventError } from '@waybill/core';

import type { EventColumn, EventRow, StoredRow } from './event-columns.ts';
import { conflictWith } from './same-event.ts';
import type { SqlQueryable } from '../client/sql-client.ts';
import { quoteIdentifier } from '../client/quote-identifier.ts';

/** What became of one event: its position, or why it was refused. */
export type AppendOutcome = bigint | EventError;

/** Writes events into one table, knowing again those that are there. */
export class EventAppender {
  readonly #columns: readonly EventColumn[];
  readonly #insert: string;
  readonly #find: string;
  readonly #takeBack: string;

  /** @param table Qualified and quoted. */
  constructor(table: string, columns: readonly EventColumn[]) {
    this.#columns = columns;
    this.#insert = insertText(table, columns);
    this.#find = findText(table, columns);
    this.#takeBack = `DELETE FROM ${table} WHERE sequence_number = ANY ($1::bigint[])`;
  }

  /**
   * Inserts the events in their order; those whose (source, id) is known keep their old row.
   *
   * One statement text serves any number of events.
   *
   * @returns One outcome per event. What the database refuses is thrown, and nothing is written then.
   */
  async append(db: SqlQueryable, events: readonly EventRow[]): Promise<AppendOutcome[]> {
    return this.#outcomes(db, events, await this.#insertNew(db, events));
  }

  /**
   * The same, but all or none.
   *
   * @throws {EventError} `EVENT_ID_CONFLICT`; the transaction may go on without the events.
   */
  async appendAll(db: SqlQueryable, events: readonly EventRow[]): Promise<bigint[]> {
    const inserted = await this.#insertNew(db, events);
    const outcomes = await this.#outcomes(db, events, inserted);
    const refusal = outcomes.find((outcome) => outcome instanceof EventError);
    if (!refusal) return outcomes as bigint[];
    await db.query(this.#takeBack, [[...inserted.values()]]);
    throw refusal;
  }

  /** The stored rows that have the same (source, id), by identity. */
  async find(
    db: SqlQueryable,
    events: readonly EventRow[],
  ): Promise<ReadonlyMap<string, StoredRow>> {
    if (events.length === 0) return new Map();
    const { rows } = await db.query<StoredRow>(this.#find, [
      events.map(({ id }) => id),
      events.map(({ source }) => source),
    ]);
    return new Map(rows.map((row) => [identityOf({ id: row.event_id, source: row.source }), row]));
  }

  /** The old position of an event that is stored, if it is the same one. */
  async findSame(db: SqlQueryable, event: EventRow): Promise<AppendOutcome | undefined> {
    const stored = (await this.find(db, [event])).get(identityOf(event));
    return stored && this.#outcomeOfKnown(event, stored);
  }

  async #insertNew(db: SqlQueryable, events: readonly EventRow[]): Promise<Map<string, bigint>> {
    const params = this.#columns.map((_, index) => events.map(({ values }) => values[index]));
    params.push(
      events.map(({ route }) => route?.destination ?? null),
      events.map(({ route }) => route?.key ?? null),
    );
    const { rows } = await db.query<StoredRow>(this.#insert, params, { prepared: true });
    return new Map(
      rows.map((row) => [
        identityOf({ id: row.event_id, source: row.source }),
        row.sequence_number,
      ]),
    );
  }

  async #outcomes(
    db: SqlQueryable,
    events: readonly EventRow[],
    inserted: ReadonlyMap<string, bigint>,
  ): Promise<AppendOutcome[]> {
    const known = events.filter((event) => !inserted.has(identityOf(event)));
    const stored = await this.find(db, known);
    const first = new Map<string, EventRow>();
    return events.map((event) => {
      const identity = identityOf(event);
      const position = inserted.get(identity);
      if (position === undefined) return this.#outcomeOfKnown(event, stored.get(identity));
      const earlier = first.get(identity);
      if (!earlier) first.set(identity, event);
      return (earlier && conflictWith(event, earlier, this.#columns)) ?? position;
    });
  }

  #outcomeOfKnown(event: EventRow, stored: StoredRow | undefined): AppendOutcome {
    if (stored) return conflictWith(event, stored, this.#columns) ?? stored.sequence_number;
    return new EventError(
      'STORE_UNAVAILABLE',
      `${event.type} ${event.id} met a row that is gone again; try again`,
      {},
    );
  }
}

/** Identity as one string; the length keeps (`a b`, `c`) and (`a`, `b c`) apart. */
function identityOf({ id, source }: Pick<EventRow, 'id' | 'source'>): string {
  return `${id.length} ${id} ${source}`;
}

/**
 * `ORDER BY ordinality` lies below the insert, so positions are drawn in the order of the events.
 * `created_at` is the instant of `time`.
 */
function insertText(table: string, columns: readonly EventColumn[]): string {
  const route = ['destination', 'ordering_key'];
  const names = [...columns.map(({ column }) => quoteIdentifier(column)), ...route].join(', ');
  const types = [...columns.map(({ type }) => type), ...route.map(() => 'text')];
  const arrays = types.map((type, index) => `$${index + 1}::${type}[]`).join(', ');
  return `INSERT INTO ${table} (${names}, created_at)
    SELECT ${names}, time::timestamptz
    FROM unnest(${arrays}) WITH ORDINALITY AS event (${names}, ordinality)
    ORDER BY ordinality
    ON CONFLICT (event_id, source) DO NOTHING
    RETURNING sequence_number, event_id, source`;
}

function findText(table: string, columns: readonly EventColumn[]): string {
  const names = columns.map(({ column }) => `stored.${quoteIdentifier(column)}`).join(', ');
  return `SELECT stored.sequence_number, stored.created_at, ${names}
    FROM unnest($1::text[], $2::text[]) AS wanted (event_id, source)
    JOIN ${table} AS stored ON stored.event_id = wanted.event_id AND stored.source = wanted.source`;
}
