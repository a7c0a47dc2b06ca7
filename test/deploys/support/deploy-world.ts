import { randomUUID } from 'node:crypto';

import type { Health, RetireOptions } from '@waybill/core';
import type { Message, OpenHandovers } from '@waybill/core/adapter';
import { openPostgres, PostgresEventStore, PostgresHandoverQueue } from '@waybill/postgres';
import type { SqlClient } from '@waybill/postgres';
import { spawnWorker, type WorkerProcess } from '@waybill/testing';
import { Redis } from 'ioredis';

import { createTestDatabase } from '../../../scripts/services/test-database.ts';
import { redisUrl } from '../../../scripts/services/test-redis.ts';
import { removeKeys } from '../../crash/redis/support/remove-keys.ts';
import type { Effect, VersionArgs } from '../workers/version.ts';
import type { DeployMode, Place } from './modes.ts';
import { openVersion, type OpenVersion } from './open-version.ts';

const worker = new URL('../workers/version.ts', import.meta.url);
const group = 'stock';
/** Longest wait for a process, in milliseconds. */
export const patienceMs = 60_000;
const keyCount = 10;

/** The servers of one mode, versions of a service on them, and what these have done. */
export class DeployWorld {
  readonly mode: DeployMode;
  readonly hasInbox: boolean;
  readonly #place: Place;
  readonly #operator: OpenVersion;
  readonly #end: () => Promise<void>;
  readonly #running: WorkerProcess[] = [];

  private constructor(
    mode: DeployMode,
    given: { place: Place; operator: OpenVersion; end: () => Promise<void> },
  ) {
    this.mode = mode;
    this.hasInbox = mode !== 'streams alone';
    this.#place = given.place;
    this.#operator = given.operator;
    this.#end = given.end;
  }

  static async create(mode: DeployMode): Promise<DeployWorld> {
    const streamPrefix = `deploys:${randomUUID()}:`;
    const database = mode === 'streams alone' ? undefined : await createTestDatabase();
    const place: Place = {
      streamPrefix,
      ...(database ? { databaseUrl: database.url } : {}),
      ...(mode === 'log' ? {} : { redisUrl: redisUrl() }),
    };
    if (database) await createTables(database.url);
    const operator = await openVersion({ place, service: 'stock' });
    const end = async (): Promise<void> => {
      await operator.close();
      await database?.drop();
      if (place.redisUrl === undefined) return;
      const redis = new Redis(place.redisUrl);
      await removeKeys(redis, streamPrefix);
      redis.disconnect();
    };
    return new DeployWorld(mode, { place, operator, end });
  }

  /** The database of the mode. @throws Error where there is none. */
  get client(): SqlClient {
    if (!this.#operator.client) throw new Error(`${this.mode} has no database`);
    return this.#operator.client;
  }

  /** Starts a version of a service, and does not wait. */
  spawn(args: Omit<VersionArgs, 'place' | 'service'> & { service?: string }): WorkerProcess {
    // Its sessions are known by its version.
    const { databaseUrl } = this.#place;
    const own = databaseUrl && `${databaseUrl}?application_name=${args.version}`;
    const place = { ...this.#place, ...(own ? { databaseUrl: own } : {}) };
    const process = spawnWorker(worker, { service: 'stock', ...args, place });
    this.#running.push(process);
    return process;
  }

  /** Starts a version of a service and waits until `start()` has resolved. */
  async start(...given: Parameters<DeployWorld['spawn']>): Promise<WorkerProcess> {
    const process = this.spawn(...given);
    await process.message('ready', patienceMs);
    return process;
  }

  /** Publishes events of each type, with one number and one key: `graded-12` of `item.graded`, key `item-2`. */
  async publish(types: readonly string[], of: readonly number[], version = 1): Promise<void> {
    const messages = of.flatMap((number) => types.map((type) => messageOf(type, number, version)));
    const outcomes = await this.#operator.bus.transport.publish(messages);
    const refused = outcomes.filter(({ status }) => status !== 'accepted');
    if (refused.length > 0) throw new Error(`not accepted: ${JSON.stringify(refused)}`);
  }

  /** What was done, in the order in which it was. */
  async effects(): Promise<Effect[]> {
    const { client, redis } = this.#operator;
    if (!client) {
      const list = await redis!.lrange(`${this.#place.streamPrefix}effects`, 0, -1);
      return list.map((text) => JSON.parse(text) as Effect);
    }
    const { rows } = await client.query<Effect>(
      `SELECT version AS by, handler, event_id AS "eventId", key FROM effects ORDER BY row_id`,
    );
    return [...rows];
  }

  /** Ids of what waits for a handler of another instance. */
  async waiting(): Promise<string[]> {
    const all = [...(await this.handovers())];
    return all.filter(([, status]) => status === 'waiting').map(([id]) => id);
  }

  /** What became of each event that was left for a handler of another instance, by id. */
  async handovers(): Promise<ReadonlyMap<string, string>> {
    const { client, redis } = this.#operator;
    if (client) {
      const { rows } = await client.query<{ id: string; status: string }>(
        'SELECT event_id AS id, status FROM event_handover',
      );
      return new Map(rows.map(({ id, status }) => [id, status]));
    }
    const base = `${this.#place.streamPrefix}:handovers:${group}`;
    const all = Object.values(await redis!.hgetall(`${base}:names`));
    const rows = all.map((number) => redis!.hmget(`${base}:${number}`, 'event_id', 'status'));
    return new Map((await Promise.all(rows)) as [string, string][]);
  }

  /** Waits that nobody has ended, by handler. */
  async open(): Promise<readonly OpenHandovers[]> {
    const { client, bus } = this.#operator;
    const queue = client ? new PostgresHandoverQueue({ client }) : bus.transport.handovers!;
    return await queue.open(group);
  }

  /** Ids of events that the group has not settled. */
  async unsettled(): Promise<string[]> {
    const { client, redis } = this.#operator;
    if (this.mode === 'log') {
      const { rows } = await client!.query<{ id: string }>(
        `SELECT l.event_id AS id FROM event_log AS l JOIN event_log_group AS g USING (partition)
         WHERE g.group_name = $1 AND l.log_offset >= g.committed_offset`,
        [group],
      );
      return rows.map(({ id }) => id);
    }
    const stream = `${this.#place.streamPrefix}item`;
    const pending = (await redis!.xpending(stream, group, '-', '+', 10_000)) as [string][];
    const read = pending.map(([id]) => redis!.xrange(stream, id, id));
    const [info] = (await redis!.xinfo('GROUPS', stream)) as string[][];
    const last = info![info!.indexOf('last-delivered-id') + 1]!;
    const unread = await redis!.xrange(stream, `(${last}`, '+');
    return [...(await Promise.all(read)).flat(), ...unread].map(([, fields]) => fields[1]!);
  }

  /** Says whether everything that was published is settled, and nothing waits for anybody. */
  async isCaughtUp(): Promise<boolean> {
    const { streams } = await this.#operator.bus.transport.inspect();
    const isSettled = streams.every(({ groups }) =>
      groups.every(({ pending, lag }) => pending + lag === 0),
    );
    return isSettled && (await this.open()).length === 0;
  }

  /** Ids of events that have become dead letters; of a letter whose event nobody can read, its own. */
  async deadLetters(): Promise<string[]> {
    const letters = await this.#operator.deadLetters.list();
    return letters.map(({ eventId, id }) => eventId ?? id);
  }

  /** As an operator gives up what does not come back, who has no version of the service. */
  async retire(options: RetireOptions): Promise<number> {
    return await this.#operator.bus.consumers(group).retire(options);
  }

  /** Ends the sessions of a version that are in a transaction, as the server does when their time is up. */
  async endTransactionsOf(version: string): Promise<void> {
    if (!this.hasInbox) return;
    await this.client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = $1 AND xact_start IS NOT NULL`,
      [version],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((process) => process[Symbol.asyncDispose]()));
    await this.#end();
  }
}

/** Waits until a version is as it should be. @returns How it is then. */
export async function healthOf(
  process: WorkerProcess,
  isWanted: (health: Health) => boolean,
): Promise<Health> {
  for (;;) {
    const health = await process.message<Health>('health', patienceMs);
    if (isWanted(health)) return health;
  }
}

/** Waits for a line of a version's log. */
export async function logLine(process: WorkerProcess, pattern: RegExp): Promise<string> {
  for (;;) {
    const { text } = await process.message<{ text: string }>('log', patienceMs);
    if (pattern.test(text)) return text;
  }
}

/** Numbers from one to another, both included. */
export function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Ids of events of a type. */
export function idsOf(type: string, of: readonly number[]): string[] {
  return of.map((number) => `${type.slice('item.'.length)}-${number}`);
}

/** The number of an event, by its id. */
export function numberOf(eventId: string): number {
  return Number(eventId.slice(eventId.indexOf('-') + 1));
}

function messageOf(type: string, number: number, version: number): Message {
  const [id] = idsOf(type, [number]);
  const event = { specversion: '1.0', id, source: 'dock', type, version, data: { number } };
  return {
    id: id!,
    type,
    key: `item-${number % keyCount}`,
    contentType: 'application/cloudevents+json',
    body: JSON.stringify(event),
  };
}

async function createTables(connectionString: string): Promise<void> {
  const client = openPostgres({ connectionString, maxConnections: 2 });
  await new PostgresEventStore({ client }).initialize();
  await client.query(
    `CREATE TABLE effects (row_id BIGSERIAL, version TEXT NOT NULL, handler TEXT NOT NULL,
                           event_id TEXT NOT NULL, key TEXT NOT NULL)`,
  );
  await client.close();
}
