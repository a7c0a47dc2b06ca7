import type { SqlClient } from '@quickwms/events';
import type { Input } from './input/load-input.ts';
import { lotsOf, planSales } from './input/lots.ts';
import { withProgress } from './progress.ts';
import { beginRun, finishRun, readRun } from './run-record.ts';
import { quickIntakez } from './services/quick-intakez.ts';
import { receiveLot } from './services/receive-lot.ts';
import { takeDemands } from './services/take-demands.ts';
import { countUnhandled, settle } from './settle.ts';
import { prepareTables, startWarehouse, type Warehouse } from './warehouse.ts';

/** What is to be run. */
export interface Job {
  readonly input: Input;
  readonly seed: string;
  /** Stops the run in order; the next process goes on with it. */
  readonly signal: AbortSignal;
  /** Hears what a person would want to know meanwhile. */
  readonly say: (line: string) => void;
}

/**
 * Takes everything in, and waits until all that follows has settled.
 *
 * A run that was interrupted goes on where it was; one that is finished stays as it is.
 *
 * @throws {InputError} If the database holds a run of another input or another seed.
 */
export async function runWarehouse(database: SqlClient, job: Job): Promise<void> {
  const store = await prepareTables(database);
  const state = await beginRun(database, job, (tx) => takeDemands(tx, job.input.demands));
  const run = await readRun(database);
  if (run?.finishedAt) {
    job.say(
      `This run was finished at ${run.finishedAt.toISOString()}; there is nothing left to do.`,
    );
    return;
  }
  const eventsBefore = await store.getCount();
  if (state === 'resumed') {
    job.say(`Going on with a run that was interrupted after ${eventsBefore} events.`);
  }
  const startedAt = performance.now();
  const warehouse = await startWarehouse(database, store, job.seed);
  try {
    await withProgress(work(database, warehouse, job), () => describeProgress(warehouse, job));
  } finally {
    await warehouse.stop();
  }
  const runMs = performance.now() - startedAt;
  await finishRun(database, { runMs, runEvents: (await store.getCount()) - eventsBefore });
}

async function work(database: SqlClient, warehouse: Warehouse, job: Job): Promise<void> {
  const { input, seed, signal } = job;
  const publisher = warehouse.publisherOf(quickIntakez);
  const dock = { database, publisher, seed, planOf: planSales(input.demands) };
  for (const lot of lotsOf(input.units)) {
    signal.throwIfAborted();
    await receiveLot(dock, lot);
  }
  await settle(warehouse, signal);
}

async function describeProgress({ store, transport }: Warehouse, { input }: Job): Promise<string> {
  const received = await store.getCount('item.received');
  const events = await store.getCount();
  const unhandled = await countUnhandled(transport);
  const figures = [received, input.units.length, events, unhandled];
  const [taken, all, published, open] = figures.map((figure) => figure.toLocaleString('en-US'));
  return `${taken} of ${all} units received, ${published} events, ${open} deliveries to go`;
}
