import { openPostgres, PostgresEventStore } from '@waybill/postgres';
import type { SqlClient } from '@waybill/postgres';
import { spawnWorker, type WorkerProcess } from '@waybill/testing';

import { createTestDatabase } from '../../../scripts/services/test-database.ts';
import type { ServiceArgs, ServiceHealth } from '../workers/service.ts';

const worker = new URL('../workers/service.ts', import.meta.url);
const patienceMs = 60_000;

/** A database with a table of what services have handled, and the services. */
export class ServiceWorld {
  readonly client: SqlClient;
  readonly store: PostgresEventStore;
  readonly #url: string;
  readonly #drop: () => Promise<void>;
  readonly #running: WorkerProcess[] = [];

  private constructor({ url, drop }: { url: string; drop: () => Promise<void> }) {
    this.#url = url;
    this.#drop = drop;
    this.client = openPostgres({ connectionString: url, maxConnections: 2 });
    this.store = new PostgresEventStore({ client: this.client });
  }

  static async create(): Promise<ServiceWorld> {
    const world = new ServiceWorld(await createTestDatabase());
    await world.store.initialize();
    await world.client.query(
      'CREATE TABLE handled (event_id TEXT NOT NULL, service TEXT NOT NULL)',
    );
    return world;
  }

  /** Starts a service and waits until it handles. */
  async start(args: Omit<ServiceArgs, 'databaseUrl'>): Promise<WorkerProcess> {
    const process = spawnWorker(worker, { ...args, databaseUrl: this.#url });
    this.#running.push(process);
    await process.message('ready', patienceMs);
    return process;
  }

  /** Ids of what a service has handled, repeats included. */
  async handledBy(service: string): Promise<string[]> {
    const { rows } = await this.client.query<{ event_id: string }>(
      'SELECT event_id FROM handled WHERE service = $1',
      [service],
    );
    return rows.map(({ event_id: id }) => id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((process) => process[Symbol.asyncDispose]()));
    await this.client.close();
    await this.#drop();
  }
}

/** Waits until a service is as it should be. @returns How it is then. */
export async function healthOf(
  process: WorkerProcess,
  isWanted: (health: ServiceHealth) => boolean,
): Promise<ServiceHealth> {
  for (;;) {
    const health = await process.message<ServiceHealth>('health', patienceMs);
    if (isWanted(health)) return health;
  }
}

/** Waits for a line of a service's log. */
export async function logLine(process: WorkerProcess, pattern: RegExp): Promise<string> {
  for (;;) {
    const { text } = await process.message<{ text: string }>('log', patienceMs);
    if (pattern.test(text)) return text;
  }
}

/** Ids that a service publishes. */
export const idsOf = (service: string, count: number): Set<string> =>
  new Set(Array.from({ length: count }, (_, index) => `${service}-${index + 1}`));
