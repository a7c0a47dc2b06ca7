import { assertKnownOptions } from '@waybill/core/adapter';
import type { GroupRegistry, HandlerSet, RegistryCopy } from '@waybill/core/adapter';

import type { SqlClient, SqlQueryable } from '../client/sql-client.ts';
import type { LogTables } from './log-tables.ts';

interface CopyRow {
  readonly version: string;
  readonly owner: string;
  /** The columns of a set; all of them `null` where there is none. */
  readonly set_id: string | null;
  readonly service: string;
  readonly worker: string;
  readonly shared_by: string | null;
  readonly handlers: HandlerSet['handlers'];
  readonly versions: HandlerSet['versions'];
  readonly registered_ago_ms: number;
  readonly seen_ago_ms: number;
}

const briefly = { holds: 'briefly' } as const;

/** What the groups of the log handle; their watermarks are written under the version that is kept here. */
export class LogRegistry implements GroupRegistry {
  readonly #client: SqlClient;
  readonly #tables: LogTables;

  constructor(options: { readonly client: SqlClient; readonly tables: LogTables }) {
    assertKnownOptions('LogRegistry', options, { client: true, tables: true });
    this.#client = options.client;
    this.#tables = options.tables;
  }

  async register(
    group: string,
    set: HandlerSet & { readonly id: string },
    worker: string,
  ): Promise<RegistryCopy> {
    if (await this.#seen(group, set, worker)) return await this.read(group);
    return await this.#client.run(async (tx) => {
      await this.#add(tx, group, set, worker);
      return await this.#read(tx, group);
    }, briefly);
  }

  async read(group: string): Promise<RegistryCopy> {
    return await this.#read(this.#client, group);
  }

  async retire(
    group: string,
    { service, name }: { readonly service: string; readonly name?: string },
  ): Promise<boolean> {
    const { registry, handlers } = this.#tables;
    return await this.#client.run(async (tx) => {
      await tx.query(`SELECT FROM ${registry} WHERE group_name = $1 FOR UPDATE`, [group]);
      const { rowCount } = await tx.query(
        `UPDATE ${handlers} AS h SET handlers = coalesce((
           SELECT jsonb_agg(each.handler ORDER BY each.at)
           FROM jsonb_array_elements(h.handlers) WITH ORDINALITY AS each (handler, at)
           WHERE $3::text IS NOT NULL AND each.handler ->> 'name' <> $3), '[]')
         WHERE group_name = $1 AND service = $2 AND ($3::text IS NULL OR EXISTS (
           SELECT FROM jsonb_array_elements(h.handlers) AS each (handler) WHERE each.handler ->> 'name' = $3))`,
        [group, service, name ?? null],
      );
      if (rowCount === 0) return false;
      await tx.query(`DELETE FROM ${handlers} WHERE group_name = $1 AND handlers = '[]'`, [group]);
      await this.#change(tx, group);
      return true;
    }, briefly);
  }

  /** Takes note of a set that is known as it is: the one statement of nearly every call. */
  async #seen(
    group: string,
    set: HandlerSet & { readonly id: string },
    worker: string,
  ): Promise<boolean> {
    const { registry, handlers } = this.#tables;
    const { rowCount } = await this.#client.query(
      `UPDATE ${handlers} AS h SET seen_at = clock_timestamp(), worker = $3
       FROM ${registry} AS g
       WHERE g.group_name = $1 AND h.group_name = $1 AND h.set_id = $2
         AND h.handlers = $4::jsonb AND h.versions = $5::jsonb AND h.service = $6
         AND h.shared_by IS NOT DISTINCT FROM $7`,
      [group, set.id, worker, ...paramsOf(set)],
    );
    return rowCount === 1;
  }

  async #add(
    tx: SqlQueryable,
    group: string,
    set: HandlerSet & { readonly id: string },
    worker: string,
  ): Promise<void> {
    const { registry, handlers } = this.#tables;
    await tx.query(
      `INSERT INTO ${registry} (group_name, owner) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
      [group, set.service],
    );
    await tx.query(`SELECT FROM ${registry} WHERE group_name = $1 FOR UPDATE`, [group]);
    await tx.query(
      `INSERT INTO ${handlers} (group_name, set_id, worker, handlers, versions, service, shared_by)
       VALUES ($1, $2, $3, $4::jsonb, $5::jsonb, $6, $7)
       ON CONFLICT (group_name, set_id) DO UPDATE SET
         worker = EXCLUDED.worker, handlers = EXCLUDED.handlers, versions = EXCLUDED.versions,
         service = EXCLUDED.service, shared_by = EXCLUDED.shared_by, seen_at = clock_timestamp()`,
      [group, set.id, worker, ...paramsOf(set)],
    );
    await this.#change(tx, group);
  }

  /** Gives the registry another version, and an owner that has something registered. */
  async #change(tx: SqlQueryable, group: string): Promise<void> {
    const { registry, handlers } = this.#tables;
    await tx.query(
      `UPDATE ${registry} AS g SET version = gen_random_uuid(), owner = coalesce((
         SELECT service FROM ${handlers} WHERE group_name = $1
         ORDER BY service <> g.owner, registered_at, set_id LIMIT 1), g.owner)
       WHERE group_name = $1`,
      [group],
    );
  }

  async #read(db: SqlQueryable, group: string): Promise<RegistryCopy> {
    const { registry, handlers } = this.#tables;
    const { rows } = await db.query<CopyRow>(
      `SELECT g.version::text AS version, g.owner, h.set_id, h.service, h.worker, h.shared_by,
              h.handlers, h.versions,
              extract(epoch FROM clock_timestamp() - h.registered_at)::float8 * 1000 AS registered_ago_ms,
              extract(epoch FROM clock_timestamp() - h.seen_at)::float8 * 1000 AS seen_ago_ms
       FROM ${registry} AS g LEFT JOIN ${handlers} AS h USING (group_name)
       WHERE g.group_name = $1 ORDER BY h.registered_at, h.set_id`,
      [group],
    );
    return copyOf(rows);
  }
}

/** `handlers`, `versions`, `service` and `shared_by` of a set. */
function paramsOf({ handlers, versions, service, sharedBy }: HandlerSet): unknown[] {
  return [JSON.stringify(handlers), JSON.stringify(versions), service, sharedBy];
}

function copyOf(rows: readonly CopyRow[]): RegistryCopy {
  const [first] = rows;
  if (!first) return { version: '', owner: '', sets: [] };
  return {
    version: first.version,
    owner: first.set_id === null ? '' : first.owner,
    sets: rows.flatMap((row) => {
      if (row.set_id === null) return [];
      return {
        id: row.set_id,
        service: row.service,
        worker: row.worker,
        sharedBy: row.shared_by,
        handlers: row.handlers,
        versions: row.versions,
        registeredAgoMs: Math.max(row.registered_ago_ms, 0),
        seenAgoMs: Math.max(row.seen_ago_ms, 0),
      };
    }),
  };
}
