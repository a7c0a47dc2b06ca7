import { JsonCodec, plainProfile } from '@waybill/core';
import type { Catalogue, DeadLetterQueue, Logger, Transport } from '@waybill/core';
import { observeFor, TransportEventBus } from '@waybill/core/adapter';
import {
  consumerDatabase,
  openPostgres,
  PostgresDeadLetterQueue,
  PostgresLogTransport,
} from '@waybill/postgres';
import type { SqlClient } from '@waybill/postgres';
import { RedisDeadLetterQueue, RedisStreamTransport } from '@waybill/redis';
import {
  crashingRedisClient,
  crashingSqlClient,
  crashingTransport,
  CrashPoints,
} from '@waybill/testing';
import type { CrashPlan, RedisPoint } from '@waybill/testing';
import { Redis } from 'ioredis';

import type { Place } from './modes.ts';

/** One bus over the servers of a mode, every write of it a crash point. */
export interface OpenVersion {
  readonly bus: TransportEventBus;
  /** Absent for streams alone. */
  readonly client: SqlClient | undefined;
  /** Absent for the log. */
  readonly redis: Redis | undefined;
  readonly deadLetters: DeadLetterQueue;
  readonly points: CrashPoints;
  close(): Promise<void>;
}

export interface OpenVersionOptions {
  readonly place: Place;
  readonly service: string;
  readonly plan?: CrashPlan | undefined;
  readonly catalogue?: Catalogue | undefined;
  readonly logger?: Logger | undefined;
  /** After this long without a sign of life a process has lost what it holds, in milliseconds. */
  readonly silentMs?: number | undefined;
}

/** Enough for ten handlers at once, and what they ask beside. */
const maxConnections = 25;

/** A publish is a point of the transport already. */
const isPoint = ({ name, writes }: RedisPoint): boolean =>
  writes && name !== 'SCRIPT (SADD, XGROUP CREATE, XADD)';

export async function openVersion(options: OpenVersionOptions): Promise<OpenVersion> {
  const { place, service, plan, catalogue, logger } = options;
  const { databaseUrl, redisUrl, streamPrefix } = place;
  const points = new CrashPoints(plan);
  const client =
    databaseUrl === undefined
      ? undefined
      : crashingSqlClient(openPostgres({ connectionString: databaseUrl, maxConnections }), points);
  const redis = redisUrl === undefined ? undefined : new Redis(redisUrl, { lazyConnect: true });
  const streams = redis && openStreams(redis, points, options);
  const log = !streams && openLog(client!, options);
  const deadLetters = client
    ? new PostgresDeadLetterQueue({ client })
    : new RedisDeadLetterQueue({ redis: streams!.redis, streamPrefix });
  const bus = new TransportEventBus({
    serviceName: service,
    transport: crashingTransport((streams || log) as Transport, points),
    codec: new JsonCodec({ profile: plainProfile }),
    profile: plainProfile,
    consumers: { ...(client ? consumerDatabase({ client }) : {}), deadLetters },
    ...(catalogue ? { catalogue } : {}),
    ...(logger ? { logger } : {}),
  });
  await bus.connect();
  return {
    bus,
    client,
    redis,
    deadLetters,
    points,
    async close() {
      await bus.shutdown();
      await client?.close();
      redis?.disconnect();
    },
  };
}

function openStreams(
  redis: Redis,
  points: CrashPoints,
  { place: { streamPrefix }, logger, silentMs: claimMs = 1_000 }: OpenVersionOptions,
): RedisStreamTransport {
  return new RedisStreamTransport({
    redis: crashingRedisClient(redis, points, { isPoint }),
    streamPrefix,
    claimMs,
    reclaimEveryMs: 20,
    blockMs: 100,
    observer: observeFor({ logger }),
  });
}

function openLog(
  client: SqlClient,
  { logger, silentMs: leaseMs = 15_000 }: OpenVersionOptions,
): PostgresLogTransport {
  const often = { commitEveryMs: 20, standbyMs: 20, pollMs: 20 };
  return new PostgresLogTransport({ client, leaseMs, ...often, observer: observeFor({ logger }) });
}
