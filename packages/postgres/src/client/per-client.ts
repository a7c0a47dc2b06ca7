import type { SqlClient } from './sql-client.ts';

/** Something that everybody in this process who uses the same client and schema has in common. */
export class PerClient<T> {
  readonly #make: (client: SqlClient, schema: string) => T;
  readonly #made = new WeakMap<SqlClient, Map<string, T>>();

  constructor(make: (client: SqlClient, schema: string) => T) {
    this.#make = make;
  }

  of(client: SqlClient, schema: string): T {
    let bySchema = this.#made.get(client);
    if (!bySchema) this.#made.set(client, (bySchema = new Map()));
    let shared = bySchema.get(schema);
    if (shared === undefined) bySchema.set(schema, (shared = this.#make(client, schema)));
    return shared;
  }
}
