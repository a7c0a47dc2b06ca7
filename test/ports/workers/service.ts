// A service as its users run one: publishes through its outbox, handles what its group gets, and tells its
// parent how it is, and whatever it logs.

import { Publisher, systemClock } from '@waybill/core';
import type { EventBus, Health, Logger } from '@waybill/core';
import {
  openPostgres,
  PostgresDeadLetterQueue,
  PostgresEventBus,
  PostgresEventStore,
  PostgresInbox,
} from '@waybill/postgres';
import { RedisStreamEventBus } from '@waybill/redis';
import { tellParent, workerArgs } from '@waybill/testing';

export interface ServiceArgs {
  readonly databaseUrl: string;
  readonly service: string;
  /** Streams on Redis; the log in the database where absent. */
  readonly redisUrl?: string;
  readonly streamPrefix?: string;
  readonly destination?: string;
  /** How many events to publish, one after the other, with ids that begin with the service's name. */
  readonly count: number;
  /** Pattern of the events that it handles; none where absent. */
  readonly handles?: string;
  readonly batchSize?: number;
  /** Without a logger, trouble goes to the standard error. */
  readonly logs: boolean;
}

export interface ServiceHealth {
  readonly publisher: Health;
  readonly group: Health | undefined;
}

const args = workerArgs<ServiceArgs>();
const { databaseUrl, service: serviceName } = args;

const log =
  (level: string) =>
  (_details: object, text: string): void =>
    void tellParent('log', { text: `${level} ${text}` });
const logger: Logger | undefined = args.logs
  ? { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  : undefined;

const client = openPostgres({ connectionString: databaseUrl });
const store = new PostgresEventStore({ client });
const deadLetters = new PostgresDeadLetterQueue({ client });
const consumers = {
  transactions: client,
  inbox: new PostgresInbox({ client }),
  deadLetters,
  ...(logger ? { logger } : {}),
};
const bus = openBus();
const publisher = new Publisher({ serviceName, bus, store, ...(logger ? { logger } : {}) });
await publisher.connect();
const group = args.handles === undefined ? undefined : bus.consumers();
group?.on(
  [args.handles!],
  async (event, { tx }) => {
    await (tx as { query(text: string, params: unknown[]): Promise<unknown> }).query(
      'INSERT INTO handled (event_id, service) VALUES ($1, $2)',
      [event.id, serviceName],
    );
  },
  { name: 'note', inbox: true },
);
await group?.start();
await tellParent('ready');
void watchHealth();

for (let number = 1; number <= args.count; number += 1) {
  await publisher.publish({
    id: `${serviceName}-${number}`,
    type: `${serviceName}.happened`,
    subject: `${serviceName}-key-${number % 10}`,
    data: { number },
  });
}
await tellParent('published');
await new Promise((resolve) => process.once('SIGTERM', resolve));
await publisher.shutdown();
await bus.shutdown();
await client.close();
process.disconnect();

function openBus(): EventBus {
  const { redisUrl, streamPrefix, destination } = args;
  const named = destination === undefined ? {} : { destination };
  if (redisUrl === undefined)
    return new PostgresEventBus({ serviceName, client, consumers, ...named });
  const timing = { claimMs: 2_000, reclaimEveryMs: 50, blockMs: 500, timeoutMs: 1_000 };
  const place = { redis: redisUrl, ...(streamPrefix === undefined ? {} : { streamPrefix }) };
  return new RedisStreamEventBus({ serviceName, consumers, ...place, ...timing, ...named });
}

/** Tells the parent how this service is, whenever that changes. */
async function watchHealth(): Promise<never> {
  for (let before = ''; ;) {
    const health: ServiceHealth = { publisher: publisher.health(), group: group?.health() };
    const now = JSON.stringify(health);
    if (now !== before) await tellParent('health', health);
    before = now;
    await systemClock.sleep(50);
  }
}
