import type { Clock, Observer } from '@waybill/core';

import { describeStall } from './stalled-reader.ts';
import type { SqlClient } from '../client/sql-client.ts';

/** How long the horizon may stand still before an alarm names who holds it back. */
const stallAlarmMs = 10_000;

interface Pending {
  readonly upTo: bigint;
  /** Every transaction that drew a number up to `upTo` has a lower id than this one. */
  readonly transactionId: string;
  readonly sinceMs: number;
  alarmed: boolean;
}

/**
 * Up to which position a reader sees everything that will ever be there.
 *
 * Positions are drawn before their transactions commit, and those commit in any order, so a bare
 * "greater than the last one" would skip what commits late. A writer takes its transaction id before
 * it draws a number (a trigger sees to that). So: note the last number drawn, then take a transaction
 * id. Once no transaction below that id is running, everything up to that number is there for good.
 */
export class ReadHorizon {
  readonly #client: SqlClient;
  readonly #table: string;
  readonly #clock: Clock;
  #sequence: string | undefined;
  #safe = 0n;
  #pending: Pending | undefined;
  #probe: Promise<void> | undefined;

  /** @param table Qualified and quoted. */
  constructor(client: SqlClient, table: string, clock: Clock) {
    this.#client = client;
    this.#table = table;
    this.#clock = clock;
  }

  /** As of the last probe. */
  get safe(): bigint {
    return this.#safe;
  }

  /**
   * Probes unless the horizon lies beyond `position` already; readers who ask at once share a probe.
   *
   * @returns The horizon as of a moment after this call began.
   */
  async beyond(position: bigint, observer: Observer): Promise<bigint> {
    // A probe under way may have begun before the caller's own last commit.
    await this.#probe;
    if (this.#safe <= position) {
      this.#probe ??= this.#advance(observer).finally(() => (this.#probe = undefined));
      await this.#probe;
    }
    return this.#safe;
  }

  async #advance(observer: Observer): Promise<void> {
    if (this.#pending && !(await this.#isReached(this.#pending, observer))) return;
    this.#pending = await this.#begin();
    if (this.#pending) await this.#isReached(this.#pending, observer);
  }

  /** Moves the horizon once every transaction that it waits for is over. */
  async #isReached(pending: Pending, observer: Observer): Promise<boolean> {
    if (!(await this.#isOver(pending))) {
      await this.#alarmOnce(pending, observer);
      return false;
    }
    this.#safe = pending.upTo;
    this.#pending = undefined;
    return true;
  }

  /** The number first, then the id, in that order. Nothing new costs no transaction id. */
  async #begin(): Promise<Pending | undefined> {
    const upTo = await this.#lastNumber();
    if (upTo < this.#safe) this.#safe = 0n; // wiped or restored behind our back
    if (upTo === this.#safe) return undefined;
    const { rows } = await this.#client.query<{ id: string }>(
      'SELECT pg_current_xact_id()::text AS id',
      [],
    );
    return { upTo, transactionId: rows[0]!.id, sinceMs: this.#clock.now(), alarmed: false };
  }

  async #lastNumber(): Promise<bigint> {
    this.#sequence ??= await this.#findSequence();
    const { rows } = await this.#client.query<{ last: bigint }>(
      `SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last FROM ${this.#sequence}`,
      [],
    );
    return rows[0]!.last;
  }

  async #findSequence(): Promise<string> {
    const { rows } = await this.#client.query<{ name: string }>(
      `SELECT pg_get_serial_sequence($1, 'sequence_number') AS name`,
      [this.#table],
    );
    return rows[0]!.name;
  }

  /** A statement of its own: inside a transaction its own id would hold the snapshot back. */
  async #isOver({ transactionId }: Pending): Promise<boolean> {
    const { rows } = await this.#client.query<{ over: boolean }>(
      'SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8 AS over',
      [transactionId],
    );
    return rows[0]!.over;
  }

  async #alarmOnce(pending: Pending, observer: Observer): Promise<void> {
    if (pending.alarmed || this.#clock.now() - pending.sinceMs < stallAlarmMs) return;
    pending.alarmed = true;
    const message = await describeStall(this.#client);
    observer({ kind: 'warning', code: 'STALLED_READER', message });
  }
}

const horizons = new WeakMap<SqlClient, Map<string, ReadHorizon>>();

/** The one horizon that all readers of a table share in this process. */
export function horizonOf(client: SqlClient, table: string, clock: Clock): ReadHorizon {
  const byTable = horizons.get(client) ?? new Map<string, ReadHorizon>();
  horizons.set(client, byTable);
  const horizon = byTable.get(table) ?? new ReadHorizon(client, table, clock);
  byTable.set(table, horizon);
  return horizon;
}
