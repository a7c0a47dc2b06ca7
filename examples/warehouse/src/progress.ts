import { setTimeout as sleep } from 'node:timers/promises';

/** Where progress is shown: `process.stderr`, or what looks like it. */
export interface ProgressScreen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** When something is shown, in milliseconds. */
export interface ProgressTiming {
  readonly firstAfterMs: number;
  readonly everyMs: number;
}

const clearLine = '\r\u001B[K';

/**
 * Says how far the work is while it goes on: in a terminal on one line that is written over, elsewhere
 * in one line every ten seconds. Work that is done within two seconds stays silent.
 *
 * @param describe What to say; asked only when it is shown.
 */
export async function withProgress<T>(
  work: Promise<T>,
  describe: () => Promise<string>,
  screen: ProgressScreen = process.stderr,
  timing: ProgressTiming = { firstAfterMs: 2_000, everyMs: screen.isTTY ? 250 : 10_000 },
): Promise<T> {
  const end = new AbortController();
  const shown = show(describe, screen, timing, end.signal);
  try {
    return await work;
  } finally {
    end.abort();
    await shown;
  }
}

/** Lets lines be said while there is progress: they take its place, and it goes on below. */
export function aboveProgress(
  say: (line: string) => void,
  screen: ProgressScreen = process.stderr,
): (line: string) => void {
  return (line) => say(screen.isTTY ? clearLine + line : line);
}

async function show(
  describe: () => Promise<string>,
  screen: ProgressScreen,
  { firstAfterMs, everyMs }: ProgressTiming,
  signal: AbortSignal,
): Promise<void> {
  try {
    await sleep(firstAfterMs, undefined, { signal });
    while (!signal.aborted) {
      const line = await describe();
      const fitting = `  ${line}`.slice(0, (screen.columns ?? 80) - 1);
      screen.write(screen.isTTY ? clearLine + fitting : `  … ${line}\n`);
      await sleep(everyMs, undefined, { signal });
    }
  } catch {
    // The work has ended, or has failed and says so itself: either way there is nothing more to show.
  }
  if (screen.isTTY) screen.write(clearLine);
}
