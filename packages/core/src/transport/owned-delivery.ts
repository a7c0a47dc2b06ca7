import type { Coordinates } from '../coordinates.ts';
import { OwnEnd, type EndSignal } from '../end-signal.ts';
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
  readonly signal: EndSignal;
  readonly #end = new OwnEnd();

  constructor() {
    this.signal = this.#end;
  }

  abstract settle(): void;

  giveUp(): void {
    this.#end.abort();
  }
}
