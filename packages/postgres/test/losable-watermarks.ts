import { EventError } from '@waybill/core';

import type { SqlClient } from '../src/client/sql-client.ts';

/** Keeps the watermarks of groups from reaching the database for a while, and everything else as it is. */
export class LosableWatermarks {
  /** The same for the same client: an embedded log tells its neighbours by it. */
  readonly #clients = new WeakMap<SqlClient, SqlClient>();
  #isLosing = false;

  over(client: SqlClient): SqlClient {
    const known = this.#clients.get(client);
    if (known) return known;
    const query: SqlClient['query'] = (text, ...rest) => {
      if (!this.#isLosing || !text.includes('SET committed_offset')) {
        return client.query(text, ...rest);
      }
      return Promise.reject(new EventError('STORE_UNAVAILABLE', 'lost on its way', {}));
    };
    const made = new Proxy(client, {
      get(target, name) {
        if (name === 'query') return query;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    this.#clients.set(client, made);
    return made;
  }

  /** @returns Lets them through again. */
  lose(): () => void {
    this.#isLosing = true;
    return () => (this.#isLosing = false);
  }
}
