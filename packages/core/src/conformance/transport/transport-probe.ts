import type { Consumer, Delivery } from '../../transport/transport.ts';
import { waitUntil } from '../wait-until.ts';

/** One subscription of a case, and everything that it was handed. */
export class TransportProbe {
  /** Deliveries of the case's own messages, in the order in which they came. */
  readonly deliveries: Delivery[] = [];
  /** Most deliveries that were unsettled at once since the last `mostUnsettled = 0`. */
  mostUnsettled = 0;
  /** Deliveries that came after `close` had resolved: the transport has leaked its consumer. */
  afterClose = 0;
  /** What the consumer said of its troubles: an error for each, `undefined` for each end. */
  readonly troubles: unknown[] = [];
  readonly onTrouble = (error: unknown): void => void this.troubles.push(error);
  consumer!: Consumer;
  readonly #timeoutMs: number;
  readonly #settleAtOnce: boolean;
  readonly #unsettled = new Set<Delivery>();
  #closed = false;

  constructor({ timeoutMs, settleAtOnce }: { timeoutMs: number; settleAtOnce: boolean }) {
    this.#timeoutMs = timeoutMs;
    this.#settleAtOnce = settleAtOnce;
  }

  /** Ids in the order in which they came, repeats included. */
  get ids(): string[] {
    return this.deliveries.map(({ message }) => message.id);
  }

  /** Deliveries that were not settled, in the order in which they came. */
  get unsettled(): Delivery[] {
    return [...this.#unsettled];
  }

  /** True if the consumer does not get on, as far as it has said. */
  get isInTrouble(): boolean {
    return this.troubles.at(-1) !== undefined;
  }

  take(delivery: Delivery): void {
    if (this.#closed) this.afterClose += 1;
    this.deliveries.push(delivery);
    this.#unsettled.add(delivery);
    this.mostUnsettled = Math.max(this.mostUnsettled, this.#unsettled.size);
    if (this.#settleAtOnce) this.settle(delivery);
  }

  settle(...deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      this.#unsettled.delete(delivery);
      delivery.settle();
    }
  }

  /** Waits until `count` deliveries have come in all. @returns All of them. */
  async received(count: number): Promise<Delivery[]> {
    await waitUntil(() => this.deliveries.length >= count, {
      timeoutMs: this.#timeoutMs,
      what: () => `${count} deliveries; ${this.deliveries.length} came`,
    });
    return this.deliveries;
  }

  async close(): Promise<void> {
    await this.consumer.close();
    this.#closed = true;
  }
}
