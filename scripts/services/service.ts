/** A server that tests need, and how to get one. */
export interface Service {
  /** As a person calls it, as in "PostgreSQL 18". */
  readonly name: string;
  /** The environment variable that holds its URL; a URL found there is used instead of starting one. */
  readonly variable: string;
  /**
   * Starts one of our own and waits until it answers.
   *
   * @param say Takes a line that the person at the terminal should see.
   * @throws Error that says why there is none, and what would help.
   */
  start(say: (line: string) => void): Promise<RunningService>;
  /**
   * Waits until the server at `url` answers.
   *
   * @throws What the last try said, once `deadlineMs` have passed.
   */
  waitUntilReady(url: string, deadlineMs: number): Promise<void>;
}

/** A server that this process started. */
export interface RunningService {
  readonly url: string;
  /** Resolves with the server's last words once it is gone, asked or not. */
  readonly exited: Promise<string>;
  /** Stops the server and removes its files; resolves when both are gone. */
  stop(): Promise<void>;
}
