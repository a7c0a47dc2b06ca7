import { randomBytes } from 'node:crypto';

import { Publisher, type ConsumerGroup, type Health, type Observation } from '@waybill/core';

import { createTestDatabase, type TestDatabase } from '../../../scripts/services/test-database.ts';
import { PostgresEventBus } from '../src/bus/postgres-event-bus.ts';
import { openPostgres } from '../src/client/pg-client.ts';
import type { SqlClient } from '../src/client/sql-client.ts';
import { PostgresEventStore } from '../src/store/event-store.ts';

const password = 'secret';

/** A database and a user of a test's own, whom it refuses what the test wants. */
export class RefusingPostgres implements AsyncDisposable {
  readonly user: string = `dock_${randomBytes(6).toString('hex')}`;
  /** Works on the database as its operator does. */
  readonly admin: SqlClient;
  /** Is connected to another database of the server. */
  readonly elsewhere: SqlClient;
  readonly #database: TestDatabase;
  readonly #open: { shutdown(): Promise<void> }[] = [];

  private constructor(database: TestDatabase) {
    this.#database = database;
    const other = Object.assign(new URL(database.url), { pathname: '/postgres' });
    this.admin = openPostgres({ connectionString: database.url, maxConnections: 1 });
    this.elsewhere = openPostgres({ connectionString: other.href, maxConnections: 1 });
  }

  static async start(): Promise<RefusingPostgres> {
    const made = new RefusingPostgres(await createTestDatabase());
    await new PostgresEventStore({ client: made.admin }).initialize();
    await made.admin.query('CREATE TABLE effects (event_id TEXT NOT NULL)');
    await made.elsewhere.query(`CREATE ROLE ${made.user} LOGIN PASSWORD '${password}'`);
    await made.grant();
    return made;
  }

  async grant(): Promise<void> {
    for (const what of ['TABLES', 'SEQUENCES', 'FUNCTIONS']) {
      await this.admin.query(`GRANT ALL ON ALL ${what} IN SCHEMA public TO ${this.user}`);
    }
  }

  get database(): string {
    return new URL(this.#database.url).pathname.slice(1);
  }

  /** Changes what the user or the database is, and ends the connections of the user. */
  async alter(...statements: readonly string[]): Promise<void> {
    for (const statement of statements) await this.elsewhere.query(statement);
    await this.cutConnections();
  }

  async cutConnections(): Promise<void> {
    await this.elsewhere.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1',
      [this.user],
    );
  }

  /** A service that publishes and consumes, not started yet. */
  service(name: string): RefusedService {
    const url = new URL(this.#database.url);
    url.username = this.user;
    url.password = password;
    const made = new RefusedService(name, url.href);
    this.#open.push(made);
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#open.map((service) => service.shutdown()));
    await this.admin.close();
    await this.#database.drop();
    await this.elsewhere.query(`DROP ROLE ${this.user}`);
    await this.elsewhere.close();
  }
}

/** A group with an inbox, a broadcast and a publisher with a store, over one log. */
export class RefusedService {
  readonly heard: string[] = [];
  readonly seen: Observation[] = [];
  readonly group: ConsumerGroup;
  readonly broadcast: ConsumerGroup;
  readonly publisher: Publisher;
  readonly #client: SqlClient;
  readonly #bus: PostgresEventBus;

  constructor(serviceName: string, connectionString: string) {
    const observer = (seen: Observation): void => void this.seen.push(seen);
    this.#client = openPostgres({ connectionString });
    const client = this.#client;
    this.#bus = new PostgresEventBus({ serviceName, client, observer });
    const store = new PostgresEventStore({ client });
    this.publisher = new Publisher({ serviceName, bus: this.#bus, store, observer });
    this.group = this.#bus.consumers();
    this.group.on(
      ['item.received'],
      async ({ id }, { tx }) => {
        await (tx as SqlClient).query('INSERT INTO effects VALUES ($1)', [`${serviceName} ${id}`]);
      },
      { inbox: true },
    );
    this.broadcast = this.#bus.consumers(null);
    this.broadcast.on(['item.received'], ({ id }) => void this.heard.push(id));
  }

  async start(): Promise<void> {
    await this.publisher.connect();
    await this.#bus.start();
  }

  async publish(): Promise<string> {
    const draft = { type: 'item.received', subject: 'item-1', data: {} };
    return (await this.publisher.publish(draft)).id;
  }

  get health(): Record<'group' | 'broadcast' | 'publisher', Health> {
    const { group, broadcast, publisher } = this;
    return {
      group: group.health(),
      broadcast: broadcast.health(),
      publisher: publisher.health(),
    };
  }

  count(kind: Observation['kind'], of: string = ''): number {
    return this.seen.filter(
      (seen) => seen.kind === kind && (!of || JSON.stringify(seen).includes(of)),
    ).length;
  }

  async shutdown(): Promise<void> {
    await this.#bus.shutdown({ deadlineMs: 0 });
    await this.publisher.shutdown();
    await this.#client.close();
  }
}
