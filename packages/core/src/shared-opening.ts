import { EventError } from './errors.ts';
import { runOutsideScope } from './handler-scope.ts';

/**
 * Something that is opened once for everybody who asks: calls that come together share one attempt, a
 * failed one is followed by another, and what was closed is opened anew.
 */
export class SharedOpening<T> {
  readonly #open: () => Promise<T>;
  #opening: Promise<T> | undefined;

  /** @param open One attempt; runs outside of the handler that happens to ask first. */
  constructor(open: () => Promise<T>) {
    this.#open = open;
  }

  /** What is open or being opened; nothing before the first `open`, after a failure and after `forget`. */
  get current(): Promise<T> | undefined {
    return this.#opening;
  }

  /** Opens it, unless that has been done or is under way. @throws What the attempt threw. */
  open(): Promise<T> {
    if (this.#opening) return this.#opening;
    const opening = runOutsideScope(() => this.#open());
    this.#opening = opening;
    opening.catch(() => {
      // After a `forget` the next attempt may be under way already.
      if (this.#opening === opening) this.#opening = undefined;
    });
    return opening;
  }

  /**
   * What is open, for whoever works with it.
   *
   * @param what Names it in the error, e.g. `redis`.
   * @throws {EventError} `NOT_CONNECTED` if nobody has opened it, or not since `forget`.
   * @throws What the attempt threw.
   */
  async opened(what: string): Promise<T> {
    if (this.#opening) return await this.#opening;
    const message = `${what} is not connected; call connect(), and nothing after close()`;
    throw new EventError('NOT_CONNECTED', message, { what });
  }

  /**
   * Forgets it, so that the next `open` begins anew.
   *
   * @returns What was open or was being opened, for its closing; nothing if there is none. An attempt that
   *   is under way goes on, and whoever closes has to wait for what comes of it.
   */
  forget(): Promise<T> | undefined {
    const opening = this.#opening;
    this.#opening = undefined;
    return opening;
  }
}
