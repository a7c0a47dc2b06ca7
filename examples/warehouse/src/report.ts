import type { SqlClient } from '@quickwms/events';
import { readRun } from './run-record.ts';
import { unitState } from './conservation/check-conservation.ts';

type Database = Pick<SqlClient, 'query'>;

/** A figure with its name, such as a state and how many units are in it. */
export interface Count {
  readonly name: string;
  readonly count: number;
}

/** The figures of a run, all of them read from the tables. */
export interface Report {
  readonly units: number;
  readonly events: number;
  readonly states: readonly Count[];
  readonly eventTypes: readonly Count[];
  /** Events that a service could not handle, and why; most frequent first. */
  readonly deadLetters: readonly Count[];
  /** What the process that finished the run published, and how long it took. */
  readonly pace: { readonly events: number; readonly seconds: number };
  /** Lines of the input that asked for a unit, and how many of them were served. */
  readonly demands: { readonly asked: number; readonly served: number };
  readonly money: Money;
}

/** Cents that came in, went out and are owed to us. */
export interface Money {
  readonly paidCents: number;
  readonly paidOutCents: number;
  readonly cashCents: number;
  readonly writtenOffCents: number;
  readonly owedByClientsCents: number;
}

/** Reads the figures of the run in this database. */
export async function readReport(database: Database): Promise<Report> {
  const count = (from: string) =>
    readOne<number>(database, `SELECT count(*)::int AS value FROM ${from}`);
  return {
    units: await count('quickintakez_unit'),
    events: await count('event_store'),
    states: await readCounts(database, `SELECT state AS name FROM ${unitState} AS ended`),
    eventTypes: await readCounts(database, 'SELECT event_type AS name FROM event_store'),
    deadLetters: await readCounts(
      database,
      `SELECT event_type || ': ' || failure_reason AS name FROM event_dlq
       WHERE status NOT IN ('resolved', 'skipped')`,
    ),
    pace: await readPace(database),
    demands: {
      asked: await count("warehouse_line WHERE kind <> 'product'"),
      served:
        (await count('quickfulfillment_order')) +
        (await count('quick3plz_unit WHERE order_id IS NOT NULL')),
    },
    money: await readMoney(database),
  };
}

async function readPace(database: Database): Promise<Report['pace']> {
  const run = await readRun(database);
  return { events: run?.runEvents ?? 0, seconds: (run?.runMs ?? 0) / 1_000 };
}

async function readMoney(database: Database): Promise<Money> {
  const booked = (condition: string) =>
    readOne<number>(
      database,
      `SELECT coalesce(sum(amount_cents), 0)::float8 AS value FROM quickfinancez_ledger WHERE ${condition}`,
    );
  return {
    paidCents: await booked("account = 'cash' AND booked_for = 'payment.received'"),
    paidOutCents: -(await booked("account = 'cash' AND booked_for = 'payout.processed'")),
    cashCents: await booked("account = 'cash'"),
    writtenOffCents: await booked("account = 'write-offs'"),
    owedByClientsCents: await booked("account = 'receivables'"),
  };
}

async function readOne<T>(database: Database, statement: string): Promise<T> {
  const { rows } = await database.query<{ value: T }>(statement);
  return rows[0]!.value;
}

async function readCounts(database: Database, select: string): Promise<Count[]> {
  const { rows } = await database.query<Count>(
    `SELECT name, count(*)::int AS count FROM (${select}) AS named GROUP BY name ORDER BY count DESC, name`,
  );
  return rows;
}
