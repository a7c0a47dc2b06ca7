import { setTimeout as sleep } from 'node:timers/promises';

const firstAfterMs = 2_000;
const everyMs = { terminal: 250, file: 10_000 };

/**
 * Says how far the work is while it goes on, on one line that is written over; without a terminal, in
 * one line every ten seconds. Quick work stays silent.
 *
 * @param describe What to say; asked only when it is shown.
 */
export async function withProgress<T>(
  work: Promise<T>,
  describe: () => Promise<string>,
): Promise<T> {
  const end = new AbortController();
  const shown = show(describe, end.signal);
  try {
    return await work;
  } finally {
    end.abort();
    await shown;
  }
}

async function show(describe: () => Promise<string>, signal: AbortSignal): Promise<void> {
  const { isTTY } = process.stderr;
  try {
    await sleep(firstAfterMs, undefined, { signal });
    for (;;) {
      const line = await describe();
      if (signal.aborted) break;
      process.stderr.write(isTTY ? `\r\u001B[K  ${line}` : `  … ${line}\n`);
      await sleep(isTTY ? everyMs.terminal : everyMs.file, undefined, { signal });
    }
  } catch {
    // The work has ended, or has failed and says so itself: either way there is nothing more to show.
  }
  if (isTTY) process.stderr.write('\r\u001B[K');
}
