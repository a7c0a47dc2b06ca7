import type { SqlClient, SqlTransaction } from '@quickwms/events';
import { InputError } from './input/input-error.ts';
import type { Input } from './input/load-input.ts';

/** Statements that create what the run keeps about itself. */
export const runTables = `
  CREATE TABLE IF NOT EXISTS warehouse_run (
    digest      TEXT PRIMARY KEY,
    seed        TEXT NOT NULL,
    input_lines INTEGER NOT NULL,
    finished_at TIMESTAMPTZ,
    run_ms      INTEGER,
    run_events  INTEGER
  );
  CREATE TABLE IF NOT EXISTS warehouse_line (
    kind      TEXT NOT NULL CHECK (kind IN ('product', 'order', 'bid', 'release')),
    line      INTEGER NOT NULL,
    reference TEXT NOT NULL,
    quantity  INTEGER NOT NULL,
    PRIMARY KEY (kind, line)
  );`;

/** How far the run in this database is. */
export interface RunRecord {
  readonly seed: string;
  readonly digest: string;
  readonly finishedAt: Date | null;
  /** How long the process that finished it ran, in milliseconds. */
  readonly runMs: number | null;
  /** How many events that process published. */
  readonly runEvents: number | null;
}

/** Tells whether a run has ever begun in this database. */
export async function hasRun(database: Pick<SqlClient, 'query'>): Promise<boolean> {
  const { rows } = await database.query<{ found: boolean }>(
    "SELECT to_regclass('warehouse_run') IS NOT NULL AS found",
  );
  return rows[0]!.found && (await readRun(database)) !== undefined;
}

/** The run in this database; `undefined` if none has begun. */
export async function readRun(database: Pick<SqlClient, 'query'>): Promise<RunRecord | undefined> {
  const { rows } = await database.query<RunRecord>(
    `SELECT seed, digest, finished_at AS "finishedAt", run_ms AS "runMs", run_events AS "runEvents"
     FROM warehouse_run`,
  );
  return rows[0];
}

/**
 * Begins a run, unless it has begun: notes what it is fed with, and hands the orders to the services.
 *
 * @param takeDemands Gives the demands of the input to the services that serve them.
 * @throws {InputError} If the database holds a run of another input or another seed.
 */
export async function beginRun(
  database: SqlClient,
  { input, seed }: { input: Input; seed: string },
  takeDemands: (tx: SqlTransaction) => Promise<void>,
): Promise<'begun' | 'resumed'> {
  const known = await readRun(database);
  if (known) {
    assertSame(known, { digest: input.digest, seed });
    return 'resumed';
  }
  await database.run(async (tx) => {
    await tx.query('INSERT INTO warehouse_run (digest, seed, input_lines) VALUES ($1, $2, $3)', [
      input.digest,
      seed,
      input.lines.length + input.demands.length,
    ]);
    await noteLines(tx, input);
    await takeDemands(tx);
  });
  return 'begun';
}

/** Notes that everything is settled, and what it took. */
export async function finishRun(
  database: SqlClient,
  { runMs, runEvents }: { runMs: number; runEvents: number },
): Promise<void> {
  await database.query(
    'UPDATE warehouse_run SET finished_at = clock_timestamp(), run_ms = $1, run_events = $2',
    [Math.round(runMs), runEvents],
  );
}

async function noteLines(tx: SqlTransaction, { lines, demands }: Input): Promise<void> {
  const rows = [
    ...lines.map(({ line, lot, item, quantity }) => ['product', line, `${lot}/${item}`, quantity]),
    ...demands.map(({ kind, line, reference }) => [kind, line, reference, 1]),
  ];
  const column = (index: number) => rows.map((row) => row[index]);
  await tx.query(
    `INSERT INTO warehouse_line (kind, line, reference, quantity)
     SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::int[])`,
    [column(0), column(1), column(2), column(3)],
  );
}

function assertSame(known: RunRecord, asked: { digest: string; seed: string }): void {
  const way = 'start over with --fresh, or keep it and choose another folder with --data';
  if (known.digest !== asked.digest) {
    throw new InputError(`there is a run over another manifest or other orders; ${way}`);
  }
  if (known.seed !== asked.seed) {
    throw new InputError(`there is a run with seed ${known.seed}, not ${asked.seed}; ${way}`);
  }
}
