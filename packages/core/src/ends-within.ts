import type { Clock } from './clock.ts';

/**
 * Waits for the end of some work, and no longer than so many milliseconds.
 *
 * @returns False if the work goes on; what becomes of it then is lost.
 * @throws What the work throws in that time.
 */
export async function endsWithin(
  clock: Clock,
  ms: number,
  work: Promise<unknown>,
): Promise<boolean> {
  const timer = new AbortController();
  const late = clock.sleep(ms, timer.signal).then(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timer.abort();
  }
}
