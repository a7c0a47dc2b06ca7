import { Publisher } from '@waybill/core';
import type { Observer } from '@waybill/core';
import {
  openPostgres,
  PostgresEventBus,
  PostgresEventStore,
  PostgresLogTransport,
} from '@waybill/postgres';
import type { SqlClient } from '@waybill/postgres';
import { CrashPoints, crashingSqlClient, crashingTransport, tellParent } from '@waybill/testing';
import type { CrashPlan } from '@waybill/testing';

export interface ServiceArgs {
  readonly url: string;
  /** How long a consumer may be silent before another one takes its group, in milliseconds. */
  readonly leaseMs?: number;
  /** Where to die; absent for a process that is to finish. */
  readonly plan?: CrashPlan;
}

/** The whole library over one database, every write of it a crash point. */
export interface Service {
  readonly client: SqlClient;
  readonly store: PostgresEventStore;
  readonly bus: PostgresEventBus;
  /** Publishes through the outbox; another process relays. */
  readonly publisher: Publisher;
  /** Closes everything, and tells the parent which points were passed. */
  end(): Promise<void>;
}

/** @param observer Hears what the log observes. */
export async function openService(
  { url, plan, leaseMs }: ServiceArgs,
  observer?: Observer,
): Promise<Service> {
  const points = new CrashPoints(plan);
  const client = crashingSqlClient(openPostgres({ connectionString: url }), points);
  const store = new PostgresEventStore({ client });
  const often = { commitEveryMs: 5, standbyMs: 10, pollMs: 10 };
  const log = new PostgresLogTransport({ client, leaseMs, observer, ...often });
  const transport = crashingTransport(log, points);
  const bus = new PostgresEventBus({ serviceName: 'dock', client, transport });
  const publisher = new Publisher({ serviceName: 'dock', bus, store, relay: false });
  await bus.connect();
  return {
    client,
    store,
    bus,
    publisher,
    async end() {
      await publisher.shutdown();
      await bus.shutdown();
      await transport.close();
      await store.close();
      await client.close();
      await tellParent('points', { names: points.names });
    },
  };
}
