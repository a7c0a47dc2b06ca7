import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SqlClient } from '@quickwms/events';
import { checkConservation } from './conservation/check-conservation.ts';
import { InputError } from './input/input-error.ts';
import type { Input } from './input/load-input.ts';
import { writeRejects } from './input/write-rejects.ts';
import type { OpenDatabase } from './open-database.ts';
import type { Options } from './options.ts';
import { readReport } from './report.ts';
import { hasRun } from './run-record.ts';
import { runWarehouse, type RunServices } from './run-warehouse.ts';
import { describeProof, summarize } from './summary.ts';
import { describeLife, mostEventfulUnit } from './timeline.ts';

/** What a command needs beside its options. */
export interface Terminal {
  readonly signal: AbortSignal;
  /** Where results go. */
  readonly print: (text: string) => void;
  /** Where everything else goes. */
  readonly say: (line: string) => void;
}

/** Exit codes: all is well; something does not add up. */
type ExitCode = 0 | 1;

/**
 * Runs the warehouse to its end, proves that nothing was lost, and tells about it.
 *
 * @param runServices How the services are run; all of them in this process unless given.
 */
export async function run(
  { database, place }: OpenDatabase,
  input: Input,
  options: Options,
  { signal, print, say }: Terminal,
  runServices?: RunServices,
): Promise<ExitCode> {
  const rejectsPath = join(options.dataFolder, 'rejects.csv');
  await mkdir(options.dataFolder, { recursive: true });
  await writeRejects(rejectsPath, input.rejects);
  const job = { input, seed: options.seed, streams: options.streams, signal, say };
  const lost = await runWarehouse(database, job, runServices);
  const problems = await checkConservation(database);
  const report = await readReport(database);
  const qlid = await mostEventfulUnit(database);
  const life = qlid ? { qlid, lines: await describeLife(database, qlid) } : undefined;
  print(
    summarize({
      report,
      problems,
      life,
      place,
      rejects: input.rejects,
      rejectsPath,
      dataOption: options.dataOption,
    }),
  );
  return problems.length === 0 && lost === 0 ? 0 : 1;
}

/** Proves once more that nothing was lost, doubled or made up. */
export async function check(
  { database }: OpenDatabase,
  _options: Options,
  { print }: Terminal,
): Promise<ExitCode> {
  await assertRun(database);
  const problems = await checkConservation(database);
  print(describeProof(await readReport(database), problems).join('\n'));
  return problems.length === 0 ? 0 : 1;
}

/** Tells the life of one unit. */
export async function item(
  { database }: OpenDatabase,
  { qlid }: Options,
  { print }: Terminal,
): Promise<ExitCode> {
  await assertRun(database);
  const lines = await describeLife(database, qlid);
  if (lines.length === 0) throw new InputError(`there is no unit ${qlid}`);
  print([`The life of unit ${qlid}`, ...lines].join('\n'));
  return 0;
}

async function assertRun(database: SqlClient): Promise<void> {
  if (!(await hasRun(database)))
    throw new InputError('there is no run yet; begin one with npm start');
}
