// A service as its users run one without a logger: it publishes all the time and handles what it gets, and tells
// its parent how it is. Whatever else it has to say goes to the standard error.

import { isEventError, Publisher, systemClock } from '@waybill/core';
import type { Health } from '@waybill/core';
import { openPostgres, PostgresEventBus, PostgresEventStore } from '@waybill/postgres';
import { RedisStreamEventBus } from '@waybill/redis';
import { tellParent, workerArgs } from '@waybill/testing';

export interface ServiceArgs {
  /** Of Redis or PostgreSQL. */
  readonly url: string;
  readonly service: string;
}

/** How the service is, and what it has done. */
export interface ServiceNews {
  readonly group: Health;
  readonly publisher: Health;
  readonly published: readonly string[];
  readonly handled: readonly string[];
}

const { url, service: serviceName } = workerArgs<ServiceArgs>();
const isRedis = url.startsWith('redis');
const client = isRedis ? undefined : openPostgres({ connectionString: url });
const bus = client
  ? new PostgresEventBus({ serviceName, client })
  : new RedisStreamEventBus({ serviceName, redis: url });
const store = client ? { store: new PostgresEventStore({ client }) } : {};
const publisher = new Publisher({ serviceName, bus, ...store });
const group = bus.consumers();
const published: string[] = [];
const handled: string[] = [];
group.on(['item.received'], ({ id }) => void handled.push(id), { name: 'note' });

void tellNews();
await publisher.connect();
await group.start();
await tellParent('started');
for (;;) {
  const draft = { type: 'item.received', subject: 'item-1', data: {} };
  try {
    published.push((await publisher.publish(draft)).id);
  } catch (error) {
    // Whoever asked for it would be told; this one asks again.
    if (!isEventError(error) || (!error.retryable && error.code !== 'ACCESS_REFUSED')) throw error;
  }
  await systemClock.sleep(50);
}

async function tellNews(): Promise<never> {
  for (;;) {
    const health = { group: group.health(), publisher: publisher.health() };
    await tellParent('news', { ...health, published, handled } satisfies ServiceNews);
    await systemClock.sleep(100);
  }
}
