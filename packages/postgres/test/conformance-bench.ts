import {
  createTestDatabase,
  type PostgresMajor,
  type TestDatabase,
} from '../../../scripts/services/test-database.ts';
import { openPostgres } from '../src/client/pg-client.ts';
import { openPglite } from '../src/client/pglite-client.ts';
import type { SqlClient } from '../src/client/sql-client.ts';

/** A database that conformance suites run on, from `open` to `close`. */
export interface ConformanceBench {
  /** Of the adapter, for the report. */
  readonly name: string;
  readonly dialect: SqlClient['dialect'];
  readonly client: SqlClient;
  open(): Promise<void>;
  close(): Promise<void>;
  /** A client of the same database, as another process would have it; embedded there is only one. */
  lend(): SqlClient;
  giveBack(lent: SqlClient): void;
  /** Ends every connection from outside; embedded there is none. */
  cut?(): Promise<void>;
}

/** An embedded database in memory. */
export class PgliteBench implements ConformanceBench {
  readonly name = 'PGlite';
  readonly dialect = 'pglite';
  client!: SqlClient;

  async open(): Promise<void> {
    this.client = await openPglite({ memory: true });
  }

  async close(): Promise<void> {
    await this.client?.close();
  }

  lend(): SqlClient {
    return this.client;
  }

  giveBack(): void {}
}

/** A database of its own on a test server. */
export class PostgresBench implements ConformanceBench {
  readonly name: string;
  readonly dialect = 'postgres';
  client!: SqlClient;
  readonly #major: PostgresMajor;
  #database: TestDatabase | undefined;
  readonly #others: SqlClient[] = [];
  readonly #free: SqlClient[] = [];

  constructor(major: PostgresMajor) {
    this.#major = major;
    this.name = `PostgreSQL ${major}`;
  }

  async open(): Promise<void> {
    this.#database = await createTestDatabase({ major: this.#major });
    // Cases run side by side, and some of them keep transactions open.
    this.client = openPostgres({ connectionString: this.#database.url, maxConnections: 30 });
  }

  async close(): Promise<void> {
    await Promise.all(this.#others.map((other) => other.close()));
    await this.client?.close();
    await this.#database?.drop();
  }

  lend(): SqlClient {
    return this.#free.pop() ?? this.#openOther();
  }

  /** A client whose pool is warm spares the next case most of its time. */
  giveBack(lent: SqlClient): void {
    this.#free.push(lent);
  }

  async cut(): Promise<void> {
    const other = this.lend();
    await other.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    this.giveBack(other);
  }

  #openOther(): SqlClient {
    const connectionString = this.#database!.url;
    const other = openPostgres({ connectionString, maxConnections: 4 });
    this.#others.push(other);
    return other;
  }
}
