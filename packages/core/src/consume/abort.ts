import { EndListeners, type EndSignal } from '../end-signal.ts';

/**
 * What may have to end early: a delivery, and within it one attempt after the other.
 *
 * It makes its signal when somebody asks for it: nearly every event is handled without, and signals
 * that follow one another take a tenth of the time of everything that the engine does for an event.
 */
export class Abort implements EndSignal {
  readonly #parent: Abort | EndSignal;
  readonly #onParentAbort: ((reason: unknown) => void) | undefined;
  /** Attempts follow one another, so there is one at a time. */
  #child: Abort | undefined;
  #own: { readonly reason: unknown } | undefined;
  #controller: AbortController | undefined;
  #listeners: EndListeners | undefined;
  #unfollow: (() => void) | undefined;
  #released = false;

  /**
   * @param parent Ends this together with itself.
   * @param onParentAbort Hears each time that the parent is told to end, also when this had ended before.
   */
  constructor(parent: Abort | EndSignal, onParentAbort?: (reason: unknown) => void) {
    this.#parent = parent;
    this.#onParentAbort = onParentAbort;
    if (parent instanceof Abort) parent.#child = this;
  }

  get aborted(): boolean {
    return this.#own !== undefined || this.#parent.aborted;
  }

  get reason(): unknown {
    return this.#own ? this.#own.reason : this.#parent.reason;
  }

  /** The same for whoever takes signals only. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.aborted) this.#controller.abort(this.reason);
      else this.follow();
    }
    return this.#controller.signal;
  }

  /** For whoever can do without a signal. */
  addEventListener(_type: 'abort', heard: () => void): void {
    if (this.aborted) return;
    (this.#listeners ??= new EndListeners()).add(heard);
    this.follow();
  }

  removeEventListener(_type: 'abort', heard: () => void): void {
    this.#listeners?.delete(heard);
  }

  /** The first reason stays. */
  abort(reason: unknown): void {
    if (!this.#own) {
      this.#own = { reason };
      this.#controller?.abort(reason);
      this.#listeners?.tell();
    }
    if (this.#child) this.#child.#endWithParent(reason);
  }

  /** Listens to the end at the root, until that is released: else it is only looked at when somebody asks. */
  follow(): void {
    const parent = this.#parent;
    if (parent instanceof Abort) return parent.follow();
    if (this.#unfollow || this.#released) return;
    const end = (): void => this.abort(parent.reason);
    parent.addEventListener('abort', end, { once: true });
    this.#unfollow = () => parent.removeEventListener('abort', end);
    if (parent.aborted) end();
  }

  /** Lets go of what this is part of, which may live much longer. */
  release(): void {
    this.#released = true;
    this.#unfollow?.();
    const parent = this.#parent;
    if (parent instanceof Abort && parent.#child === this) parent.#child = undefined;
  }

  #endWithParent(reason: unknown): void {
    this.#onParentAbort?.(reason);
    this.abort(reason);
  }
}
