import type { CrashPoints } from './crash-points.ts';
import { override } from './override.ts';
import { sqlPointName } from './sql-point-name.ts';

/** What runs a statement with parameters: a client or an open transaction. */
export interface SqlRunner {
  query(text: string, params?: readonly unknown[]): Promise<unknown>;
}

/** The part of a SQL client that writes. */
export interface SqlClientShape extends SqlRunner {
  run(work: (tx: SqlRunner) => Promise<unknown>, options?: object): Promise<unknown>;
}

/**
 * Makes every statement of a client that is not a plain read a crash point, and every `COMMIT`.
 *
 * A commit is named after what it makes durable, as in `COMMIT (INSERT event_store, INSERT outbox)`.
 *
 * @returns The client in every other respect; the transactions it hands out are wrapped too.
 */
export function crashingSqlClient<Client extends SqlClientShape>(
  client: Client,
  points: CrashPoints,
): Client {
  // The client's own signatures are generic in the row and the result; wrapping changes neither.
  const members: SqlClientShape = {
    query: queryWithPoints(client, points, () => {}),
    run: (work, options) => runWithPoints(client, points, work, options),
  };
  return override<SqlClientShape>(client, members) as Client;
}

function queryWithPoints(
  runner: SqlRunner,
  points: CrashPoints,
  wrote: (name: string) => void,
): SqlRunner['query'] {
  return async (text, params) => {
    const name = sqlPointName(text);
    if (name === undefined) return await runner.query(text, params);
    wrote(name);
    return await points.around(name, () => runner.query(text, params));
  };
}

/** The commit lies between the end of the work and the return of `run`. */
async function runWithPoints(
  client: SqlClientShape,
  points: CrashPoints,
  work: (tx: SqlRunner) => Promise<unknown>,
  options?: object,
): Promise<unknown> {
  let committed: (() => void) | undefined;
  const result = await client.run(async (tx) => {
    const written = new Set<string>();
    const query = queryWithPoints(tx, points, (name) => written.add(name));
    const value = await work(override(tx, { query }));
    committed = points.reach(commitName(written));
    return value;
  }, options);
  committed?.();
  return result;
}

function commitName(written: ReadonlySet<string>): string {
  return written.size === 0 ? 'COMMIT' : `COMMIT (${[...written].join(', ')})`;
}
