// Consumes for a group and tells its parent of everything, until it is killed.

import type { Delivery } from '@waybill/core/adapter';
import { isEventError } from '@waybill/core';
import { tellParent, workerArgs } from '@waybill/testing';

import { PostgresLogTransport } from '../../src/log/log-transport.ts';
import { openPostgres } from '../../src/client/pg-client.ts';

export interface LogConsumerArgs {
  readonly connectionString: string;
  readonly group: string;
  readonly worker: string;
  readonly leaseMs: number;
  readonly commitEveryMs: number;
  /** Settle every delivery but those with these numbers, from 0 on; or none. */
  readonly settle: 'none' | { readonly allBut: readonly number[] };
  /** Try the fence of what is not settled, again and again. */
  readonly fence: boolean;
}

const { group, worker, leaseMs, commitEveryMs, settle, fence, connectionString } =
  workerArgs<LogConsumerArgs>();
const client = openPostgres({ connectionString });
const transport = new PostgresLogTransport({
  client,
  leaseMs,
  commitEveryMs,
  standbyMs: 20,
  observer: (observation) => void tellParent(observation.kind, observation),
});
await transport.connect();
let deliveries = 0;
await transport.subscribe(
  { group, patterns: ['*'], start: 'earliest', maxInFlight: 100, worker },
  (delivery) => {
    const { message, deliveryCount } = delivery;
    void tellParent('delivery', { id: message.id, deliveryCount });
    if (settle !== 'none' && !settle.allBut.includes(deliveries)) delivery.settle();
    else if (fence) void tryFence(delivery);
    deliveries += 1;
  },
);
await tellParent('subscribed');

async function tryFence(delivery: Delivery): Promise<void> {
  try {
    await client.run((tx) => delivery.fence!(tx));
    await tellParent('fence-passed');
    setTimeout(() => void tryFence(delivery), 20);
  } catch (error) {
    const code = isEventError(error) ? error.code : String(error);
    await tellParent('fence-refused', { code });
  }
}
