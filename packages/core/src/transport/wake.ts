/** Lets a loop wait until there is something to do, and forgets no call that came while it was busy. */
export class Wake {
  #called = false;
  #resolve: (() => void) | undefined;

  /** Ends the current wait, or the next one. */
  call(): void {
    this.#called = true;
    this.#resolve?.();
  }

  /** Resolves at the next call, or at once if there was one since the last wait. One waiter at a time. */
  async wait(): Promise<void> {
    if (!this.#called) await new Promise<void>((resolve) => (this.#resolve = resolve));
    this.#called = false;
    this.#resolve = undefined;
  }
}
