import { GrowingDelay, runOutsideScope } from '@waybill/core/adapter';
import type { PrunedGroup, Pruning } from '@waybill/core/adapter';

import { PerClient } from '../client/per-client.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { PruneRun, type PruneOutcome, type PruneUser } from './prune-run.ts';
import type { PruneSettings } from './prune-options.ts';
import { pruneStatements } from './prune-statements.ts';

/** Longest pause before another process is given the lock back, in milliseconds. */
const busyMs = 10_000;
const retryDelays = { firstMs: 10_000, maxMs: 600_000 };

/** Prunes one schema for all groups of this process: from time to time, as long as one of them runs. */
class SharedPruner {
  readonly #client: SqlClient;
  readonly #schema: string;
  readonly #users = new Set<PruneUser>();
  readonly #retry = new GrowingDelay(retryDelays);
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #pass: Promise<PruneOutcome> | undefined;

  constructor(client: SqlClient, schema: string) {
    this.#client = client;
    this.#schema = schema;
  }

  /** Prunes for a group, too, until that stops. */
  add(group: PrunedGroup, settings: PruneSettings): Pruning {
    const user = { group, settings };
    this.#users.add(user);
    if (this.#users.size === 1) this.#begin(group);
    return { stop: () => this.#remove(user) };
  }

  #begin(first: PrunedGroup): void {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const before = this.#running;
    this.#running = runOutsideScope(async () => {
      await before;
      await this.#keepOn(first, signal);
    });
  }

  async #remove(user: PruneUser): Promise<void> {
    this.#users.delete(user);
    if (this.#users.size > 0) return void (await this.#pass);
    this.#stop.abort();
    await this.#running;
  }

  /** Processes that begin together do not prune together, and one that never lives for long prunes now and then. */
  async #keepOn({ clock, random }: PrunedGroup, signal: AbortSignal): Promise<void> {
    const statements = pruneStatements(this.#schema);
    await clock.sleep(random() * this.#everyMs(), signal);
    while (!signal.aborted) {
      const run = new PruneRun({
        client: this.#client,
        schema: this.#schema,
        clock,
        statements,
        users: () => [...this.#users],
      });
      this.#pass = run.run().catch((error: unknown) => this.#broken(error));
      await clock.sleep(this.#pauseAfter(await this.#pass, random), signal);
    }
  }

  /** A bug must neither end the pruning nor go unseen. */
  #broken(error: unknown): PruneOutcome {
    for (const { group } of this.#users) group.failed('inbox', error);
    return 'failed';
  }

  #pauseAfter(outcome: PruneOutcome, random: () => number): number {
    const everyMs = this.#everyMs();
    if (outcome === 'failed') return Math.min(this.#retry.next(), everyMs);
    this.#retry.reset();
    return outcome === 'busy'
      ? Math.min(random() * busyMs, everyMs)
      : Math.round(everyMs * (0.9 + random() / 5));
  }

  #everyMs(): number {
    return Math.min(...[...this.#users].map(({ settings }) => settings.everyMs));
  }
}

const pruners = new PerClient((client, schema) => new SharedPruner(client, schema));

/** Has a schema pruned for a group, by the one pruner that this process has for it. */
export function pruneFor(
  { client, schema }: { client: SqlClient; schema: string },
  group: PrunedGroup,
  settings: PruneSettings,
): Pruning {
  return pruners.of(client, schema).add(group, settings);
}
