/**
 * The part of an `AbortSignal` that says when something has to end early. An `AbortSignal` is one; so is what
 * costs nothing as long as nobody listens.
 */
export interface EndSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', heard: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', heard: () => void): void;
}

/** Those who listen for one end; each of them hears of it once. */
export class EndListeners {
  #heard: Set<() => void> | undefined;

  add(heard: () => void): void {
    (this.#heard ??= new Set()).add(heard);
  }

  delete(heard: () => void): void {
    this.#heard?.delete(heard);
  }

  tell(): void {
    const heard = this.#heard;
    this.#heard = undefined;
    for (const each of heard ?? []) each();
  }
}

/** An end without an `AbortController`, which takes longer to make than most handlers take to run. */
export class OwnEnd implements EndSignal {
  readonly #listeners = new EndListeners();
  #reason: unknown;
  #aborted = false;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  addEventListener(_type: 'abort', heard: () => void): void {
    if (!this.#aborted) this.#listeners.add(heard);
  }

  removeEventListener(_type: 'abort', heard: () => void): void {
    this.#listeners.delete(heard);
  }

  /** Only the first call counts. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = new DOMException('This operation was aborted', 'AbortError');
    this.#listeners.tell();
  }
}

/** @throws Why it has ended, if it has. */
export function throwIfEnded(signal: EndSignal | undefined): void {
  if (signal?.aborted) throw signal.reason;
}
