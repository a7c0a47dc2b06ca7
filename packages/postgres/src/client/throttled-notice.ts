import { runOutsideScope } from '@waybill/core/adapter';
import type { Clock } from '@waybill/core';

import type { SqlClient } from './sql-client.ts';

/**
 * Tells other processes that there is something to look for, at most once per interval.
 *
 * It goes over a connection of its own: PostgreSQL commits transactions that notify one after the
 * other, so a notice inside the caller's transaction would slow down everybody who writes. It is a
 * hint; whoever misses it looks by himself a little later.
 */
export class ThrottledNotice {
  readonly #client: SqlClient;
  readonly #channel: string;
  readonly #everyMs: number;
  readonly #clock: Clock;
  #waiting = false;
  #wanted = false;

  constructor(options: { client: SqlClient; channel: string; everyMs: number; clock: Clock }) {
    this.#client = options.client;
    this.#channel = options.channel;
    this.#everyMs = options.everyMs;
    this.#clock = options.clock;
  }

  /** Sends a notice now, or as soon as the interval since the last one is over. */
  send(): void {
    this.#wanted = true;
    if (!this.#waiting) runOutsideScope(() => this.#sendNow());
  }

  #sendNow(): void {
    this.#wanted = false;
    this.#waiting = true;
    // A lost notice costs its hearer one poll interval; there is nothing to repair or to report.
    this.#client.query('SELECT pg_notify($1, $2)', [this.#channel, '']).catch(() => {});
    this.#clock.schedule(this.#everyMs, () => {
      this.#waiting = false;
      if (this.#wanted) this.#sendNow();
    });
  }
}
