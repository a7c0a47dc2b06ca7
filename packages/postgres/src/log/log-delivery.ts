import { OwnedDelivery } from '@waybill/core/adapter';
import type { Coordinates } from '@waybill/core';
import type { Message } from '@waybill/core/adapter';

import { messageOf } from '../message-columns.ts';
import type { LogRow } from './log-rows.ts';
import { logStream, logTransport, positionOf } from './log-tables.ts';

/** Who a delivery reports to. */
export interface LogDeliveryOwner {
  settle(delivery: LogDelivery): void;
  /** Absent where nobody else could have taken over. */
  fence?(tx: object): Promise<void>;
}

/** One row of the log on its way to a handler. */
export class LogDelivery extends OwnedDelivery {
  readonly message: Message;
  readonly coordinates: Coordinates;
  readonly mayBeRepeated: boolean;
  readonly deliveryCount: number;
  readonly fence?: (tx: object) => Promise<void>;
  readonly partition: number;
  readonly offset: bigint;
  readonly #owner: LogDeliveryOwner;
  readonly #position: { takeBack(offset: bigint): void } | undefined;

  /** @param before How often it was handed out before, and whether it may have been, counted or not. */
  constructor(
    row: LogRow,
    before: {
      readonly deliveries: number;
      readonly mayBeRepeated: boolean;
      readonly position?: { takeBack(offset: bigint): void };
    },
    owner: LogDeliveryOwner,
  ) {
    super();
    this.message = messageOf(row);
    this.partition = row.partition;
    this.offset = row.log_offset;
    this.coordinates = {
      transport: logTransport,
      stream: logStream,
      partition: row.partition,
      position: positionOf(row.partition, row.log_offset),
    };
    this.mayBeRepeated = before.mayBeRepeated;
    this.deliveryCount = before.deliveries + 1;
    this.#owner = owner;
    this.#position = before.position;
    if (owner.fence) this.fence = (tx) => owner.fence!(tx);
  }

  settle(): void {
    this.#owner.settle(this);
  }

  takeBack(): void {
    this.#position?.takeBack(this.offset);
  }
}
