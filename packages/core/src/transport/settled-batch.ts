import type { Delivery, Judgement, Unwritten } from './transport.ts';

/** What was settled and is not written yet, and by which version of the registry it was judged. */
export class SettledBatch<Own extends Delivery> implements Unwritten {
  readonly #judgement: Judgement | undefined;
  readonly #judgedBy = new Map<Own, string>();

  /** @param judgement What the subscription was given; without one every settlement holds. */
  constructor(judgement: Judgement | undefined) {
    this.#judgement = judgement;
    judgement?.follow?.(this);
  }

  get size(): number {
    return this.#judgedBy.size;
  }

  add(delivery: Own): void {
    this.#judgedBy.set(delivery, this.#judgement?.version ?? '');
  }

  /** Everything that is in it, as of now. */
  list(): Own[] {
    return [...this.#judgedBy.keys()];
  }

  /** Takes out what was written, or belongs to somebody else by now. */
  remove(deliveries: Iterable<Own>): void {
    for (const delivery of deliveries) this.#judgedBy.delete(delivery);
  }

  async judgeAll(): Promise<void> {
    await this.judge(this.list());
  }

  /**
   * Brings deliveries that are in it up to one version of the registry.
   *
   * @param refused The version that the broker has refused; all of them are judged anew then.
   * @returns The version that the settlement of all of them is to carry; `undefined` without a registry.
   * @throws What `Judgement.renew` throws.
   */
  async judge(deliveries: readonly Own[], refused?: string): Promise<string | undefined> {
    const judgement = this.#judgement;
    if (!judgement) return undefined;
    let { version } = judgement;
    for (;;) {
      const outdated = deliveries.filter((delivery) => {
        const judgedBy = this.#judgedBy.get(delivery);
        return judgedBy === refused || judgedBy !== version;
      });
      if (outdated.length === 0) return version;
      version = await judgement.renew(outdated);
      for (const delivery of outdated) {
        // Meanwhile it may have been given up.
        if (this.#judgedBy.has(delivery)) this.#judgedBy.set(delivery, version);
        else deliveries = deliveries.filter((each) => each !== delivery);
      }
      refused = undefined;
    }
  }
}
