import type {
  DeliveryConformanceOptions,
  EventStoreConformanceOptions,
  StoreConformanceOptions,
  TransportConformanceOptions,
} from '@waybill/core/conformance';
import type {
  DeadLetterQueue,
  HandoverQueue,
  IdempotencyStore,
  Inbox,
  Outbox,
  Profile,
  Transport,
} from '@waybill/core';

import { PostgresDeadLetterQueue } from '../src/consume/dead-letter-queue.ts';
import { PostgresHandoverQueue } from '../src/consume/handover-queue.ts';
import { PostgresEventStore } from '../src/store/event-store.ts';
import { PostgresIdempotencyStore } from '../src/idempotency/idempotency-store.ts';
import { PostgresInbox } from '../src/consume/inbox.ts';
import { PostgresLogTransport } from '../src/log/log-transport.ts';
import { PostgresOutbox } from '../src/outbox/outbox.ts';
import type { SqlClient } from '../src/client/sql-client.ts';
import { toStoreError } from '../src/client/sql-errors.ts';
import { away, BreakableClient } from './breakable-client.ts';
import type { ConformanceBench } from './conformance-bench.ts';
import { eventTable, SchemaPool } from './schema-pool.ts';

/** What the suites are given for each of the adapters. */
export interface ConformanceOptions {
  readonly eventStore: EventStoreConformanceOptions;
  readonly outbox: StoreConformanceOptions<Outbox>;
  readonly inbox: StoreConformanceOptions<Inbox>;
  readonly deadLetters: StoreConformanceOptions<DeadLetterQueue>;
  readonly handovers: StoreConformanceOptions<HandoverQueue>;
  readonly idempotency: StoreConformanceOptions<IdempotencyStore>;
  readonly transport: TransportConformanceOptions;
  /** The engine over the transport, the dead letters and the inbox. */
  readonly delivery: DeliveryConformanceOptions;
}

/** Where the tables of a case are. */
interface Place {
  readonly client: SqlClient;
  readonly schema: string;
}

const profile: Profile = {
  name: 'tenants',
  attributes: [
    { name: 'tenant', wire: 'tenant', column: 'tenant', validate: () => undefined },
    { name: 'floor', wire: 'floor', column: 'floor', type: 'integer', validate: () => undefined },
    {
      name: 'fragile',
      wire: 'fragile',
      column: 'fragile',
      type: 'boolean',
      validate: () => undefined,
    },
  ],
};
const { capabilities } = PostgresLogTransport;
/** Longer than a log takes that nobody has told of a message. */
const quietMs = 150;
/** Long enough for a neighbour to commit, short enough to wait for in a case. */
const lockTimeoutMs = 200;

/** The adapters of this package on one database. The cases of all suites share a pool of schemas. */
export function conformanceOptions(bench: ConformanceBench): ConformanceOptions {
  const pool = new SchemaPool();
  const store = <Store>(make: (place: Place) => Store): StoreConformanceOptions<Store> => ({
    capabilities: {
      transactions: true,
      concurrentTransactions: bench.dialect === 'postgres',
      identity: true,
    },
    reopens: true,
    cuts: bench.cut !== undefined,
    create: async () => {
      const { client } = bench;
      const schema = await pool.take(client);
      const cleanup = (): Promise<void> => pool.giveBack(client, schema);
      const open = (): Store => make({ client, schema });
      const cut = (): Promise<void> => bench.cut!();
      return { store: open(), reopen: open, transactions: client, cut, cleanup };
    },
  });
  return {
    eventStore: {
      ...store(
        ({ client, schema }) =>
          new PostgresEventStore({ client, schemaName: schema, tableName: eventTable, profile }),
      ),
      attribute: { name: 'tenant', value: 'acme', other: 'umbrella' },
      typedAttributes: { integer: 'floor', boolean: 'fragile' },
    },
    outbox: store((place) => new PostgresOutbox(place)),
    inbox: store((place) => new PostgresInbox({ ...place, lockTimeoutMs })),
    deadLetters: store((place) => new PostgresDeadLetterQueue(place)),
    handovers: store((place) => new PostgresHandoverQueue(place)),
    idempotency: store((place) => new PostgresIdempotencyStore(place)),
    transport: {
      capabilities,
      quietMs,
      breaksServer: true,
      refusesAccess: true,
      losesSettlements: true,
      create: () => createLog(bench, pool),
    },
    delivery: {
      capabilities,
      quietMs,
      inbox: true,
      create: async () => {
        const { place, ...log } = await createLog(bench, pool);
        return {
          ...log,
          deadLetters: new PostgresDeadLetterQueue(place),
          inbox: new PostgresInbox(place),
          handovers: new PostgresHandoverQueue(place),
        };
      },
    },
  };
}

/** A log, each instance of it over a client of its own where there can be several. */
async function createLog(bench: ConformanceBench, pool: SchemaPool) {
  const { client } = bench;
  const schema = await pool.take(client);
  const lent = new Map<SqlClient, BreakableClient>();
  const fail = (fails: (text: string) => boolean, failure = away): void => {
    for (const breakable of lent.values()) Object.assign(breakable, { fails, failure });
  };
  return {
    place: { client, schema },
    transactions: client,
    open(): Transport {
      const other = bench.lend();
      // Embedded it is the same one each time, and so must be what the instances share.
      const breakable = lent.get(other) ?? new BreakableClient(other);
      lent.set(other, breakable);
      return new PostgresLogTransport({ client: breakable, schema, standbyMs: 50 });
    },
    async breakServer(): Promise<() => Promise<void>> {
      fail(() => true);
      return async () => fail(() => false);
    },
    async refuseAccess(): Promise<() => Promise<void>> {
      fail(
        () => true,
        () => toStoreError(Object.assign(new Error('permission denied'), { code: '42501' })),
      );
      return async () => fail(() => false);
    },
    loseSettlements(): () => void {
      fail((text) => text.includes('SET committed_offset'));
      return () => fail(() => false);
    },
    async cleanup(): Promise<void> {
      for (const other of lent.keys()) bench.giveBack(other);
      await pool.giveBack(client, schema);
    },
  };
}
