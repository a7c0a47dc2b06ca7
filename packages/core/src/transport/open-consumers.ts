import type { Consumer } from './transport.ts';

/** The consumers of a transport, which close together with it, also those whose opening is under way. */
export class OpenConsumers {
  readonly #openings = new Set<Promise<Consumer>>();

  /**
   * Opens one.
   *
   * @param open Gets what the consumer calls when it has closed; may find out that the transport has closed.
   */
  open<Own extends Consumer>(open: (onClose: () => void) => Promise<Own>): Promise<Own> {
    const opening: Promise<Own> = Promise.resolve().then(() => open(forget));
    const forget = (): void => void this.#openings.delete(opening);
    this.#openings.add(opening);
    opening.catch(forget);
    return opening;
  }

  /** Those that are open, once what is under way has come to its end. */
  async all(): Promise<Consumer[]> {
    const openings = await Promise.allSettled(this.#openings);
    return openings.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  }

  /** Closes all of them. @throws What the first close threw that failed, when all have ended. */
  async close(): Promise<void> {
    const consumers = await this.all();
    const closed = await Promise.allSettled(consumers.map((consumer) => consumer.close()));
    for (const outcome of closed) if (outcome.status === 'rejected') throw outcome.reason;
  }
}
