import { OwnedDelivery } from '@waybill/core/adapter';
import type { Coordinates } from '@waybill/core';
import type { Message } from '@waybill/core/adapter';

import type { ClaimStamp } from './claim-stamp.ts';

/** Kind of transport, in coordinates and messages. */
export const redisTransport = 'redis';

/** One entry of a stream on its way to a handler. */
export class StreamDelivery extends OwnedDelivery {
  readonly message: Message;
  readonly coordinates: Coordinates;
  readonly mayBeRepeated: boolean;
  readonly deliveryCount: number;
  /** How often Redis says that it was delivered; asked for before anything is done in its name. */
  claimCount: number;
  /** When it was last certain that the entry is this consumer's own. */
  claimedAt: ClaimStamp;
  /** True if it only waited, which is not counted. */
  isTakenBack = false;
  readonly #settle: (delivery: StreamDelivery) => void;

  constructor(given: {
    message: Message;
    stream: string;
    entryId: string;
    mayBeRepeated: boolean;
    deliveryCount: number;
    claimedAt: ClaimStamp;
    settle: (delivery: StreamDelivery) => void;
  }) {
    super();
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

  settle(): void {
    this.#settle(this);
  }

  takeBack(): void {
    this.isTakenBack = true;
  }
}
