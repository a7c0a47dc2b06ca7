import type { Coordinates } from '../coordinates.ts';
import { OwnEnd, type EndSignal } from '../end-signal.ts';
import type { Message } from '../event/message.ts';
import type { RevocableDelivery } from '../transport/outlet.ts';
import type { MemoryEntry } from './memory-group.ts';

/** One entry of a `MemoryGroup` on its way to a handler. */
export class MemoryDelivery implements RevocableDelivery {
  readonly entry: MemoryEntry;
  readonly message: Message;
  readonly coordinates: Coordinates;
  readonly deliveryCount: number;
  readonly mayBeRepeated: boolean;
  readonly signal: EndSignal;
  /** A property of its own, so that a copy of the delivery has it, too. */
  readonly settle: () => void;
  readonly takeBack: () => void;
  readonly #end = new OwnEnd();

  constructor(entry: MemoryEntry, transport: string, settle: (delivery: MemoryDelivery) => void) {
    this.entry = entry;
    this.message = entry.message;
    this.coordinates = { transport, stream: 'memory', position: String(entry.index) };
    this.deliveryCount = entry.deliveryCount;
    this.mayBeRepeated = entry.deliveryCount > 1;
    this.signal = this.#end;
    this.settle = () => settle(this);
    this.takeBack = () => (entry.isTakenBack = true);
  }

  giveUp(): void {
    this.#end.abort();
  }
}
