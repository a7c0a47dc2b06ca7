// Relays until the outbox is empty.

import { Relay, systemClock } from '@waybill/core';
import { workerArgs } from '@waybill/testing';

import { openService, type ServiceArgs } from '../support/open-service.ts';

export interface RelayArgs extends ServiceArgs {
  readonly batchSize: number;
}

const args = workerArgs<RelayArgs>();
const { bus, store, end } = await openService(args);
const relay = new Relay({
  outbox: store.outbox,
  destination: bus.transport.destination,
  publish: (messages) => bus.transport.publish(messages),
  batchSize: args.batchSize,
  pollMs: 5,
});

relay.start();
while ((await store.outbox.status()).waiting > 0) await systemClock.sleep(5);
await relay.stop();
await end();
