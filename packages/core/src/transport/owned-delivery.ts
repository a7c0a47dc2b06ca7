import type { Coordinates } from '../coordinates.ts';
import type { Message } from '../event/message.ts';
import type { RevocableDelivery } from './outlet.ts';

/**
 * A delivery that tells its handler when the message is no longer its own. A transport adds where the
 * message lies and how it is settled.
 */
export abstract class OwnedDelivery implements RevocableDelivery {
  abstract readonly message: Message;
  abstract readonly coordinates: Coordinates;
  abstract readonly mayBeRepeated: boolean;
  abstract readonly deliveryCount: number | undefined;
  /** Made when somebody asks for it: most deliveries end without. */
  #controller: AbortController | undefined;
  #givenUp = false;

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#givenUp) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  abstract settle(): void;

  giveUp(): void {
    this.#givenUp = true;
    this.#controller?.abort();
  }
}
