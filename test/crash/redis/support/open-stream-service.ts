import { Publisher, JsonCodec, plainProfile } from '@waybill/core';
import { TransportEventBus } from '@waybill/core/adapter';
import type { DeadLetterQueue, Observer } from '@waybill/core';
import {
  openPostgres,
  PostgresDeadLetterQueue,
  PostgresEventStore,
  PostgresInbox,
} from '@waybill/postgres';
import type { SqlClient } from '@waybill/postgres';
import { RedisDeadLetterQueue, RedisStreamTransport } from '@waybill/redis';
import {
  crashingRedisClient,
  crashingSqlClient,
  crashingTransport,
  CrashPoints,
  tellParent,
} from '@waybill/testing';
import type { CrashPlan, RedisPoint } from '@waybill/testing';
import { Redis } from 'ioredis';

export interface StreamServiceArgs {
  readonly redisUrl: string;
  readonly prefix: string;
  /** Where effects, inbox and dead letters are; without one, dead letters are on Redis. */
  readonly databaseUrl?: string;
  /** A consumer without a sign of life loses its messages after this long, in milliseconds. */
  readonly claimMs: number;
  /** How often to look for messages of consumers that have gone, in milliseconds; 20 unless given. */
  readonly reclaimEveryMs?: number;
  /** Where to die; absent for a process that is to finish. */
  readonly plan?: CrashPlan;
}

/** The whole library over streams, every write of it a crash point. */
export interface StreamService {
  /** Absent where there is no database. */
  readonly client: SqlClient | undefined;
  readonly store: PostgresEventStore | undefined;
  readonly bus: TransportEventBus;
  /** Publishes through the outbox, and relays. */
  publisher(): Publisher;
  /** Closes everything, and tells the parent which points were passed. */
  end(): Promise<void>;
}

/** @param observer Hears what the streams and the groups observe. */
export async function openStreamService(
  args: StreamServiceArgs,
  observer?: Observer,
): Promise<StreamService> {
  const { redisUrl, prefix: streamPrefix, databaseUrl, claimMs, reclaimEveryMs = 20 } = args;
  const { plan } = args;
  const points = new CrashPoints(plan);
  const base = new Redis(redisUrl, { lazyConnect: true });
  // A publish is a point of the transport already.
  const isPoint = ({ name, writes }: RedisPoint): boolean =>
    writes && name !== 'SCRIPT (SADD, XGROUP CREATE, XADD)';
  const redis = crashingRedisClient(base, points, { isPoint });
  const timing = { claimMs, reclaimEveryMs, blockMs: 100 };
  const streams = new RedisStreamTransport({ redis, streamPrefix, observer, ...timing });
  const transport = crashingTransport(streams, points);
  const database = databaseUrl ? openDatabase(databaseUrl, points) : undefined;
  const deadLetters: DeadLetterQueue =
    database?.deadLetters ?? new RedisDeadLetterQueue({ redis: streams.redis, streamPrefix });
  const bus = new TransportEventBus({
    serviceName: 'dock',
    transport,
    codec: new JsonCodec({ profile: plainProfile }),
    profile: plainProfile,
    consumers: { ...database?.consumers, deadLetters, redrivePollMs: 3_600_000 },
    ...(observer ? { observer } : {}),
  });
  await bus.connect();
  return {
    client: database?.client,
    store: database?.store,
    bus,
    publisher: () =>
      new Publisher({ serviceName: 'dock', bus, store: database?.store, relayPollMs: 10 }),
    async end() {
      await bus.shutdown();
      await database?.store.close();
      await database?.client.close();
      base.disconnect();
      await tellParent('points', { names: points.names });
    },
  };
}

function openDatabase(connectionString: string, points: CrashPoints) {
  const client = crashingSqlClient(openPostgres({ connectionString }), points);
  const consumers = { transactions: client, inbox: new PostgresInbox({ client }) };
  const deadLetters = new PostgresDeadLetterQueue({ client });
  return { client, consumers, deadLetters, store: new PostgresEventStore({ client }) };
}
