import { EventError } from '@waybill/core';
import type { Clock } from '@waybill/core';
import type { PrunedGroup, PrunedKind } from '@waybill/core/adapter';

import type { SqlClient } from '../client/sql-client.ts';
import { deleteBatch, type Batch } from './locked-batch.ts';
import type { PruneSettings } from './prune-options.ts';
import { longestAgeMs, type GroupStatement, type PruneStatements } from './prune-statements.ts';

/** A group of this process, and what it wants pruned. */
export interface PruneUser {
  readonly group: PrunedGroup;
  readonly settings: PruneSettings;
}

export interface PruneRunOptions {
  readonly client: SqlClient;
  readonly schema: string;
  readonly clock: Clock;
  readonly statements: PruneStatements;
  /** Who takes part, the one that came first at the front; asked again before each batch. */
  readonly users: () => readonly PruneUser[];
}

/** `busy`: another process prunes at the moment. */
export type PruneOutcome = 'done' | 'busy' | 'failed';

/** What was recorded shortly before the oldest unfinished event is kept too: clocks are not one. */
const marginMs = 3_600_000;
/** A batch that takes longer hangs, in milliseconds: the server itself ends it before. */
const silentAfterMs = 120_000;

/** One pass over everything that can be pruned. */
export class PruneRun {
  readonly #options: PruneRunOptions;
  #isBusy = false;
  readonly #failing = new Set<PruneUser>();

  constructor(options: PruneRunOptions) {
    this.#options = options;
  }

  async run(): Promise<PruneOutcome> {
    const users = this.#options.users();
    for (const namesakes of Map.groupBy(users, ({ group }) => group.group).values()) {
      await this.#pruneGroup(namesakes);
    }
    await this.#pruneKeys(users);
    if (this.#isBusy) return this.#failing.size > 0 ? 'failed' : 'busy';
    for (const user of users) if (!this.#failing.has(user)) user.group.finished();
    return this.#failing.size > 0 ? 'failed' : 'done';
  }

  /** @param users Those of one group: what one of them keeps, or has not finished, is kept. */
  async #pruneGroup(users: readonly PruneUser[]): Promise<void> {
    const youngestMs = await this.#attempt('inbox', users, () => this.#finishedBeforeMs(users));
    if (youngestMs === undefined) return;
    for (const statement of this.#options.statements.ofGroup) {
      await this.#attempt(statement.what, users, () =>
        this.#pruneRows(users, statement, youngestMs),
      );
    }
  }

  async #pruneRows(
    users: readonly PruneUser[],
    { what, age, text }: GroupStatement,
    youngest: { readonly nowMs: number; readonly untilMs: number },
  ): Promise<void> {
    const ageMs = longestAgeMs(
      users.map(({ settings }) => settings),
      age,
    );
    if (ageMs === Number.POSITIVE_INFINITY) return;
    const untilMs = Math.max(Math.min(youngest.nowMs - ageMs, youngest.untilMs), 0);
    await this.#deleteAll(users, what, (limit) => ({
      text,
      params: [users[0]!.group.group, untilMs, limit],
    }));
  }

  /** Keys have an end of their own, whoever claimed them. */
  async #pruneKeys(users: readonly PruneUser[]): Promise<void> {
    const text = this.#options.statements.idempotencyKeys;
    const first = users.slice(0, 1);
    if (first.length === 0 || !users.every(({ settings }) => settings.idempotencyKeys)) return;
    await this.#attempt('idempotency-keys', first, () =>
      this.#deleteAll(first, 'idempotency-keys', (limit) => ({ text, params: [limit] })),
    );
  }

  /**
   * What was recorded before may go, by the database's clock. That is read first: an event that comes while
   * the others are asked is younger.
   */
  async #finishedBeforeMs(
    users: readonly PruneUser[],
  ): Promise<{ nowMs: number; untilMs: number } | undefined> {
    const { rows } = await this.#options.client.query<{ now: number }>(
      `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`,
      [],
    );
    const nowMs = rows[0]!.now;
    const agesMs = await Promise.all(users.map(({ group }) => group.unfinishedForMs()));
    if (!agesMs.every((ageMs) => ageMs !== undefined)) return undefined;
    return { nowMs, untilMs: nowMs - Math.max(...agesMs) - marginMs };
  }

  async #deleteAll(
    users: readonly PruneUser[],
    what: PrunedKind,
    batchOf: (limit: number) => Batch,
  ): Promise<void> {
    const limit = Math.min(...users.map(({ settings }) => settings.batchRows));
    let count = 0;
    try {
      while (this.#hasAll(users)) {
        const deleted = await this.#delete(users, what, batchOf(limit));
        count += deleted ?? 0;
        if (deleted === undefined || deleted < limit) return;
      }
    } finally {
      users[0]!.group.pruned(what, count);
    }
  }

  async #delete(
    users: readonly PruneUser[],
    what: PrunedKind,
    batch: Batch,
  ): Promise<number | undefined> {
    const { client, schema, clock } = this.#options;
    const cancel = clock.schedule(silentAfterMs, () => this.#failed(what, users, silent()));
    try {
      const deleted = await deleteBatch(client, schema, batch);
      this.#isBusy = deleted === undefined;
      return deleted;
    } finally {
      cancel();
    }
  }

  /** A group that has stopped meanwhile has nothing pruned any more. */
  #hasAll(users: readonly PruneUser[]): boolean {
    const present = this.#options.users();
    return users.every((user) => present.includes(user));
  }

  async #attempt<T>(
    what: PrunedKind,
    users: readonly PruneUser[],
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    if (this.#isBusy || !this.#hasAll(users)) return undefined;
    try {
      return await work();
    } catch (error) {
      this.#failed(what, users, error);
      return undefined;
    }
  }

  #failed(what: PrunedKind, users: readonly PruneUser[], error: unknown): void {
    const present = this.#options.users();
    for (const user of users.filter((each) => present.includes(each))) {
      this.#failing.add(user);
      user.group.failed(what, error);
    }
  }
}

function silent(): EventError<'STORE_UNAVAILABLE'> {
  const message = `the database has not answered for ${silentAfterMs} ms when asked to delete rows`;
  return new EventError('STORE_UNAVAILABLE', message, {});
}
