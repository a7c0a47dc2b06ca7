import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** Which server: 18 is the newest major, 15 the oldest one that is supported. */
export type PostgresMajor = 15 | 18;

/** An empty database of one test file's own. */
export interface TestDatabase {
  readonly url: string;
  /** Drops the database, closing whatever is still connected to it. */
  drop(): Promise<void>;
}

/** Tells whether this run has that server; a suite that needs one uses `describe.skipIf(!hasPostgres())`. */
export function hasPostgres(major: PostgresMajor = 18): boolean {
  return Boolean(process.env[variableOf(major)]);
}

/**
 * Creates an empty database on a test server.
 *
 * @param major 18 where absent.
 * @throws Error if the run has no such server.
 */
export async function createTestDatabase(
  options: { major?: PostgresMajor } = {},
): Promise<TestDatabase> {
  const serverUrl = process.env[variableOf(options.major ?? 18)];
  if (!serverUrl) throw new Error(`${variableOf(options.major ?? 18)} is not set`);
  const name = `waybill_test_${randomBytes(6).toString('hex')}`;
  await runOnce(serverUrl, `CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => runOnce(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function runOnce(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function variableOf(major: PostgresMajor): string {
  return major === 18 ? 'POSTGRES_URL' : 'POSTGRES_15_URL';
}
