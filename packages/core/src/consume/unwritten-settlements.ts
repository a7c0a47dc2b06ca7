import { isEventError } from '../errors.ts';
import type { Unwritten } from '../transport/transport.ts';

/**
 * What was settled under a copy of the registry, and is not yet written. When the registry turns out to be
 * another one, some of it has to be left for other instances after all; that comes before anything younger is
 * left, so that what waits for a handler waits in its order.
 */
export class UnwrittenSettlements {
  /** A consumer that has ended is not kept for this. */
  readonly #followed = new Set<WeakRef<Unwritten>>();
  /** Everything was judged by this version, or written. */
  #upTo = '';
  #judging: Promise<void> | undefined;

  follow(unwritten: Unwritten): void {
    for (const ref of this.#followed) if (!ref.deref()) this.#followed.delete(ref);
    this.#followed.add(new WeakRef(unwritten));
  }

  /**
   * Has everything judged by a version of the registry, as long as that is the one by which is judged.
   *
   * @throws Why it could not be left for others.
   */
  async judgeBy(version: string): Promise<void> {
    while (this.#upTo !== version) {
      const isOwn = !this.#judging;
      this.#judging ??= this.#judgeAll().finally(() => (this.#judging = undefined));
      await this.#judging;
      if (isOwn) this.#upTo = version;
    }
  }

  async #judgeAll(): Promise<void> {
    for (const ref of this.#followed) {
      try {
        await ref.deref()?.judgeAll();
      } catch (error) {
        if (!isEventError(error, 'CLAIM_LOST')) throw error;
        // It is all somebody else's by now.
        this.#followed.delete(ref);
      }
    }
  }
}
