import type { SqlClient, SqlTransaction } from '@quickwms/events';
import { InputError } from './input/input-error.ts';
import type { Input } from './input/load-input.ts';

/** Statements that create what the run keeps about itself. */
export const runTables = `
  CREATE TABLE IF NOT EXISTS warehouse_run (
    digest      TEXT PRIMARY KEY,
    seed        TEXT NOT NULL,
    input_lines INTEGER NOT NULL,
    streams     TEXT,
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
  /** What the names of its streams on Redis begin with; `null` if a log in the database carries its events. */
  readonly streams: string | null;
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
    // A database may be older than this column.
    `SELECT seed, digest, to_jsonb(run) ->> 'streams' AS streams,
            finished_at AS "finishedAt", run_ms AS "runMs", run_events AS "runEvents"
     FROM warehouse_run AS run`,
  );
  return rows[0];
}

/**
 * Begins a run, unless it has begun: notes what it is fed with, and hands the orders to the services.
 *
 * @param job.streams What the names of its streams on Redis begin with, if it goes over Redis.
 * @param takeDemands Gives the demands of the input to the services that serve them.
 * @throws {InputError} If the database holds a run of another input or another seed, or one that is not
 *   finished and has its events elsewhere.
 */
export async function beginRun(
  database: SqlClient,
  { input, seed, streams = null }: { input: Input; seed: string; streams?: string | null },
  takeDemands: (tx: SqlTransaction) => Promise<void>,
): Promise<'begun' | 'resumed'> {
  const known = await readRun(database);
  if (known) {
    assertSameInput(known, input);
    assertSame(known, { seed, streams });
    return 'resumed';
  }
  await database.run(async (tx) => {
    await tx.query(
      'INSERT INTO warehouse_run (digest, seed, input_lines, streams) VALUES ($1, $2, $3, $4)',
      [input.digest, seed, input.lines.length + input.demands.length, streams],
    );
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

const way = 'start over with --fresh, or keep it and choose another folder with --data';

/** @throws {InputError} If a run was begun over another input. */
export function assertSameInput(known: RunRecord, { digest }: Pick<Input, 'digest'>): void {
  if (known.digest === digest) return;
  throw new InputError(`there is a run over another manifest or other orders; ${way}`);
}

function assertSame(known: RunRecord, asked: Pick<RunRecord, 'seed' | 'streams'>): void {
  if (known.seed !== asked.seed) {
    throw new InputError(`there is a run with seed ${known.seed}, not ${asked.seed}; ${way}`);
  }
  // Its events that are under way would be left behind.
  if (known.finishedAt === null && known.streams !== asked.streams) {
    const how =
      known.streams === null
        ? 'without --distributed'
        : `with --distributed --streams ${known.streams}`;
    throw new InputError(`there is a run that was begun ${how}; go on like that, or ${way}`);
  }
}
