import type { Deliver, Delivery } from './transport.ts';

/** A delivery that its transport can take back. */
export interface RevocableDelivery extends Delivery {
  /** Tells the handler that the message is no longer its own. */
  giveUp(): void;
}

/** Hands deliveries out, never more at once than asked for; what a transport builds its consumers with. */
export class Outlet<Own extends RevocableDelivery> {
  readonly #deliver: Deliver;
  readonly #onRoom: () => void;
  readonly #unsettled = new Set<Own>();
  #waiting: Own[] = [];
  #maxInFlight: number;
  #paused = false;

  /** @param onRoom Called when more may be handed out; never from within `handOut`. */
  constructor(options: { deliver: Deliver; maxInFlight: number; onRoom: () => void }) {
    this.#deliver = options.deliver;
    this.#maxInFlight = options.maxInFlight;
    this.#onRoom = options.onRoom;
  }

  /** How many more deliveries are wanted. */
  get room(): number {
    if (this.#paused) return 0;
    return Math.max(this.#maxInFlight - this.#unsettled.size - this.#waiting.length, 0);
  }

  /** True while nothing is handed out or waits to be. */
  get isEmpty(): boolean {
    return this.#unsettled.size === 0 && this.#waiting.length === 0;
  }

  /** Adds what was read; it waits if the consumer was paused or asked for less meanwhile. */
  add(deliveries: readonly Own[]): void {
    this.#waiting.push(...deliveries);
  }

  handOut(): void {
    while (!this.#paused && this.#unsettled.size < this.#maxInFlight) {
      const delivery = this.#waiting.shift();
      if (!delivery) return;
      this.#unsettled.add(delivery);
      this.#deliver(delivery);
    }
  }

  /** @returns False if it was settled before, or given up. */
  settle(delivery: Own): boolean {
    const known = this.#unsettled.delete(delivery);
    if (known) this.#onRoom();
    return known;
  }

  /** Takes one back, whether it was handed out or waits. */
  drop(delivery: Own): void {
    if (this.#unsettled.delete(delivery)) delivery.giveUp();
    else this.#waiting = this.#waiting.filter((waiting) => waiting !== delivery);
    this.#onRoom();
  }

  /**
   * Takes back everything that is gone in one pass, such as a whole partition, whether it was handed out or
   * waits.
   *
   * @returns What of it was never handed out.
   */
  dropWhere(isGone: (delivery: Own) => boolean): Own[] {
    const { gone = [], kept = [] } = Object.groupBy(this.#waiting, (delivery) =>
      isGone(delivery) ? 'gone' : 'kept',
    );
    this.#waiting = kept;
    const revoked = [...this.#unsettled].filter(isGone);
    for (const delivery of revoked) this.#unsettled.delete(delivery);
    for (const delivery of revoked) delivery.giveUp();
    if (gone.length + revoked.length > 0) this.#onRoom();
    return gone;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#onRoom();
  }

  setMaxInFlight(maxInFlight: number): void {
    this.#maxInFlight = maxInFlight;
    this.#onRoom();
  }

  /** Gives up everything. @returns What was read and never handed out. */
  clear(): Own[] {
    const unsettled = [...this.#unsettled];
    this.#unsettled.clear();
    for (const delivery of unsettled) delivery.giveUp();
    return this.#waiting.splice(0);
  }
}
