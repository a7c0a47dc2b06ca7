import { isEventError } from '@quickwms/events';
import { check, item, run, type Terminal } from './commands.ts';
import { inProcesses } from './distributed/run-in-processes.ts';
import { assertOwnStreams, removeStreams, type RunStreams } from './distributed/run-streams.ts';
import { readServers } from './distributed/servers.ts';
import { StartFailure } from './distributed/watched-process.ts';
import { InputError } from './input/input-error.ts';
import { loadInput } from './input/load-input.ts';
import { clearDatabase, openDatabase, type OpenDatabase } from './open-database.ts';
import { help, readOptions, type Options } from './options.ts';

/** Stops in order on the first Ctrl-C; the second one ends the process as it stands. */
function listenForInterrupt(): AbortSignal {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupt.abort());
  }
  return interrupt.signal;
}

async function main(): Promise<number> {
  const folders = { person: process.env.INIT_CWD ?? process.cwd(), process: process.cwd() };
  const options = readOptions(process.argv.slice(2), folders);
  if (options.command === 'help') {
    console.log(help);
    return 0;
  }
  // Before anything is dropped: --fresh with a manifest that cannot be read must cost nothing.
  const input =
    options.command === 'run' ? await loadInput(options.manifest, options.orders) : undefined;
  const terminal: Terminal = {
    signal: listenForInterrupt(),
    print: (text) => console.log(text),
    say: (line) => console.error(line),
  };
  const streams = streamsOf(options);
  const opened = await openDatabase({ ...options, url: process.env.DATABASE_URL });
  try {
    if (input) {
      await prepare(opened, options, streams);
      const runServices = streams && inProcesses({ ...options, ...streams });
      return await run(opened, input, options, terminal, runServices);
    }
    return await (options.command === 'check' ? check : item)(opened, options, terminal);
  } catch (error) {
    if (!terminal.signal.aborted) throw error;
    terminal.say('Interrupted. Start again to go on from here.');
    return 130;
  } finally {
    await opened.database.close();
  }
}

function streamsOf({ streams: prefix }: Options): RunStreams | undefined {
  return prefix === undefined ? undefined : { ...readServers(process.env), prefix };
}

/** Makes sure that what is there belongs to this run, or removes it. */
async function prepare(
  { database }: OpenDatabase,
  { fresh }: Options,
  streams: RunStreams | undefined,
): Promise<void> {
  if (streams) await (fresh ? removeStreams : assertOwnStreams)(streams, database);
  if (fresh) await clearDatabase(database);
}

/** What people can mend is one line; anything else is a bug and shows where. */
function explain(error: unknown): { message: unknown; exitCode: number } {
  if (error instanceof InputError) return { message: error.message, exitCode: 2 };
  if (isEventError(error) || error instanceof StartFailure) {
    return { message: error.message, exitCode: 1 };
  }
  return { message: error, exitCode: 1 };
}

try {
  process.exitCode = await main();
} catch (error) {
  const { message, exitCode } = explain(error);
  console.error(message);
  process.exitCode = exitCode;
}
