import type { Coordinates } from '@waybill/core';
import type { Message, RevocableDelivery } from '@waybill/core/adapter';

import type { ClaimStamp } from './claim-stamp.ts';

/** Kind of transport, in coordinates and messages. */
export const redisTransport = 'redis';

/** One entry of a stream on its way to a handler. */
export class StreamDelivery implements RevocableDelivery {
  readonly message: Message;
  readonly coordinates: Coordinates;
  readonly mayBeRepeated: boolean;
  readonly deliveryCount: number;
  /** How often Redis says that it was delivered; asked for before anything is done in its name. */
  claimCount: number;
  /** When it was last certain that the entry is this consumer's own. */
  claimedAt: ClaimStamp;
  readonly #settle: (delivery: StreamDelivery) => void;
  /** Made when somebody asks for it: most deliveries end without. */
  #controller: AbortController | undefined;
  #givenUp = false;

  constructor(given: {
    message: Message;
    stream: string;
    entryId: string;
    mayBeRepeated: boolean;
    deliveryCount: number;
    claimedAt: ClaimStamp;
    settle: (delivery: StreamDelivery) => void;
  }) {
    this.message = given.message;
    this.coordinates = {
      transport: redisTransport,
      stream: given.stream,
      position: given.entryId,
    };
    this.mayBeRepeated = given.mayBeRepeated;
    this.deliveryCount = given.deliveryCount;
    this.claimCount = given.deliveryCount;
    this.claimedAt = given.claimedAt;
    this.#settle = given.settle;
  }

  get stream(): string {
    return this.coordinates.stream;
  }

  get entryId(): string {
    return this.coordinates.position;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#givenUp) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  settle(): void {
    this.#settle(this);
  }

  /** Tells the handler that the message is no longer its own. */
  giveUp(): void {
    this.#givenUp = true;
    this.#controller?.abort();
  }
}
