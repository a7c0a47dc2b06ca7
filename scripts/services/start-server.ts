import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningService } from './service.ts';

const START_ATTEMPTS = 3;
const START_DEADLINE_MS = 120_000;
const POLL_MS = 50;

/** How to start one kind of server. */
export interface StartOptions {
  /** As a person calls it, as in "PostgreSQL 18". */
  readonly name: string;
  /** Starts the server on a port that was free a moment ago, and does not wait for it. */
  launch(): Promise<RunningService>;
  /** Asks the server at `url` once, and rejects unless it answers. */
  ping(url: string): Promise<void>;
  /** Tells whether a server died with these words because somebody else took its port. */
  portWasTaken(lastWords: string): boolean;
}

/**
 * Starts a server and waits until it answers, with two more tries if its port was taken.
 *
 * @throws Error with the server's last words if it does not answer; nothing is left of it then.
 */
export async function startServer(options: StartOptions): Promise<RunningService> {
  for (let attempt = 1; ; attempt += 1) {
    const server = await options.launch();
    const lastWords = await lastWordsUnlessReady(server, options.ping);
    if (lastWords === undefined) return server;
    if (!options.portWasTaken(lastWords) || attempt === START_ATTEMPTS) {
      throw new Error(`${options.name} did not start: ${lastWords}`);
    }
  }
}

/**
 * Waits until `ping` resolves.
 *
 * @param isGone Tells that waiting is in vain; never where absent.
 * @throws What the last try said, once `deadlineMs` have passed.
 */
export async function waitUntilAnswers(
  ping: () => Promise<void>,
  deadlineMs: number,
  isGone: () => boolean = () => false,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await ping();
    } catch (error) {
      if (isGone() || performance.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}

/** @returns Undefined once the server answers; else why it does not, with nothing left of it. */
async function lastWordsUnlessReady(
  server: RunningService,
  ping: (url: string) => Promise<void>,
): Promise<string | undefined> {
  let output: string | undefined;
  const gone = server.exited.then((text) => (output = text.trim()));
  try {
    await waitUntilAnswers(
      () => ping(server.url),
      START_DEADLINE_MS,
      () => output !== undefined,
    );
    return undefined;
  } catch (error) {
    await server.stop();
    return (await gone) || String(error);
  }
}
