import type { PostgresEventStore, SqlClient } from '@quickwms/events';
import type { Input } from './input/load-input.ts';
import { withProgress } from './progress.ts';
import { receiveGoods } from './receive-goods.ts';
import { beginRun, finishRun, readRun } from './run-record.ts';
import { quickIntakez } from './services/quick-intakez.ts';
import { takeDemands } from './services/take-demands.ts';
import { countUnhandled, settle, type EventPlaces } from './settle.ts';
import { prepareTables, startWarehouse, type Warehouse } from './warehouse.ts';

/** What is to be run. */
export interface Job {
  readonly input: Input;
  readonly seed: string;
  /** What the names of its streams on Redis begin with, if it goes over Redis. */
  readonly streams?: string | undefined;
  /** Stops the run in order; the next process goes on with it. */
  readonly signal: AbortSignal;
  /** Hears what a person would want to know meanwhile. */
  readonly say: (line: string) => void;
}

/**
 * Runs the services until everything is taken in and all that follows has settled.
 *
 * @returns How much the transport has lost on the way; it was said what.
 */
export type RunServices = (
  database: SqlClient,
  store: PostgresEventStore,
  job: Job,
) => Promise<number>;

/**
 * Takes everything in, and waits until all that follows has settled.
 *
 * A run that was interrupted goes on where it was; one that is finished stays as it is.
 *
 * @param runServices How the services are run; all of them in this process unless given.
 * @returns What `runServices` says.
 * @throws {InputError} If the database holds a run of another input or another seed.
 */
export async function runWarehouse(
  database: SqlClient,
  job: Job,
  runServices: RunServices = runInOneProcess,
): Promise<number> {
  const store = await prepareTables(database);
  const state = await beginRun(database, job, (tx) => takeDemands(tx, job.input.demands));
  const run = await readRun(database);
  if (run?.finishedAt) {
    job.say(
      `This run was finished at ${run.finishedAt.toISOString()}; there is nothing left to do.`,
    );
    return 0;
  }
  const eventsBefore = await store.getCount();
  if (state === 'resumed') {
    job.say(`Going on with a run that was interrupted after ${eventsBefore} events.`);
  }
  const startedAt = performance.now();
  const lost = await runServices(database, store, job);
  const runMs = performance.now() - startedAt;
  await finishRun(database, { runMs, runEvents: (await store.getCount()) - eventsBefore });
  return lost;
}

const runInOneProcess: RunServices = async (database, store, job) => {
  const warehouse = await startWarehouse(database, store, job.seed);
  try {
    await withProgress(work(database, warehouse, job), () => describeProgress(warehouse, job));
    return 0; // the log is in the database itself
  } finally {
    await warehouse.stop();
  }
};

async function work(database: SqlClient, warehouse: Warehouse, job: Job): Promise<void> {
  const { input, seed, signal } = job;
  const publisher = warehouse.publisherOf(quickIntakez);
  await receiveGoods({ database, publisher, seed, input, signal });
  await settle(warehouse, signal);
}

/** Says how far a run is. */
export async function describeProgress(
  { store, transport }: EventPlaces,
  { input }: Job,
): Promise<string> {
  const received = await store.getCount('item.received');
  const events = await store.getCount();
  const unhandled = await countUnhandled(transport);
  const figures = [received, input.units.length, events, unhandled];
  const [taken, all, published, open] = figures.map((figure) => figure.toLocaleString('en-US'));
  return `${taken} of ${all} units received, ${published} events, ${open} deliveries to go`;
}
