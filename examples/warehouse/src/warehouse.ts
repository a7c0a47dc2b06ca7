import {
  PostgresEventBus,
  PostgresEventStore,
  PostgresLogTransport,
  type EventPublisher,
  type SqlClient,
} from '@quickwms/events';
import { assembleService, stopServices } from './assemble-service.ts';
import { schema } from './open-database.ts';
import { runTables } from './run-record.ts';
import { services } from './services/index.ts';
import type { Service } from './services/service.ts';

/** All services, running in one process over one database. */
export interface Warehouse {
  readonly store: PostgresEventStore;
  readonly transport: PostgresLogTransport;
  /** The publisher of a service, for what comes from outside. */
  publisherOf(service: Service): EventPublisher;
  /** Why a service has stopped by itself; empty while all is well. */
  failures(): string[];
  /** Finishes what is under way, then ends. */
  stop(): Promise<void>;
}

/** Sixteen groups share one database here: they take more at a time, and look around less often. */
const sharing = { maxInFlight: 500, redrivePollMs: 5_000 };
const commitEveryMs = 250;

/** Creates the tables where they do not exist, of the library and of every service. */
export async function prepareTables(database: SqlClient): Promise<PostgresEventStore> {
  const store = new PostgresEventStore({ client: database, schemaName: schema });
  await store.initialize();
  for (const tables of [runTables, ...services.map((service) => service.tables)]) {
    await database.query(tables);
  }
  return store;
}

/** Starts every service. Each has a bus, a publisher and a consumer group of its own. */
export async function startWarehouse(
  database: SqlClient,
  store: PostgresEventStore,
  seed: string,
): Promise<Warehouse> {
  const transport = new PostgresLogTransport({ client: database, schema, commitEveryMs });
  const running = services.map((service) => {
    const eventBus = new PostgresEventBus({
      serviceName: service.name,
      client: database,
      schema,
      transport,
    });
    return assembleService(service, { eventBus, store, seed, consuming: sharing });
  });
  for (const { publisher, subscriber } of running) {
    await publisher.connect(); // also relays what a process that died has left in the outbox
    await subscriber.start();
  }
  return {
    store,
    transport,
    publisherOf: (service) => running.find((each) => each.service === service)!.publisher,
    failures: () =>
      running.flatMap(({ service, subscriber }) => {
        const { status, reasons } = subscriber.health();
        return status === 'failed' ? [`${service.name}: ${reasons.join(', ')}`] : [];
      }),
    async stop() {
      await stopServices(running);
      await transport.close();
    },
  };
}
