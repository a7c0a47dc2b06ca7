import { isEventError } from '@quickwms/events';
import { check, item, run, type Terminal } from './commands.ts';
import { InputError } from './input/input-error.ts';
import { loadInput } from './input/load-input.ts';
import { openDatabase } from './open-database.ts';
import { help, readOptions } from './options.ts';

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
  const opened = await openDatabase({ ...options, url: process.env.DATABASE_URL });
  try {
    if (input) return await run(opened, input, options, terminal);
    return await (options.command === 'check' ? check : item)(opened, options, terminal);
  } catch (error) {
    if (!terminal.signal.aborted) throw error;
    terminal.say('Interrupted. Start again to go on from here.');
    return 130;
  } finally {
    await opened.database.close();
  }
}

/** What people can mend is one line; anything else is a bug and shows where. */
function explain(error: unknown): { message: unknown; exitCode: number } {
  if (error instanceof InputError) return { message: error.message, exitCode: 2 };
  if (isEventError(error)) return { message: error.message, exitCode: 1 };
  return { message: error, exitCode: 1 };
}

try {
  process.exitCode = await main();
} catch (error) {
  const { message, exitCode } = explain(error);
  console.error(message);
  process.exitCode = exitCode;
}
