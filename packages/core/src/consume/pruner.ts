import type { Clock } from '../clock.ts';

/** What can be pruned beside an inbox: handovers and dead letters that have ended, and idempotency keys that have expired. */
export type PrunedKind = 'inbox' | 'handovers' | 'dead-letters' | 'idempotency-keys';

/** Deletes from a database, now and then, what the groups that use it no longer need. */
export interface Pruner {
  /**
   * Says whether the pruner itself keeps what a queue has open. What it does not know of, dead letters and
   * handovers that lie elsewhere, a group counts as unfinished.
   */
  covers(queue: object): boolean;
  /** Prunes for a group, too, until that stops. */
  start(group: PrunedGroup): Pruning;
}

/** The part of a pruner in one group. */
export interface Pruning {
  /** Resolves when nothing more is deleted for the group. */
  stop(): Promise<void>;
}

/** A group that runs, as a pruner sees it. */
export interface PrunedGroup {
  readonly group: string;
  readonly clock: Clock;
  readonly random: () => number;
  /**
   * How long ago the oldest event was accepted that the group has not finished, in milliseconds; 0 if there is
   * none, `undefined` where that cannot be told. What was recorded since must not be pruned.
   */
  unfinishedForMs(): Promise<number | undefined>;
  /** Told what was deleted, if anything; of a group, or what is nobody's own. */
  pruned(what: PrunedKind, count: number): void;
  /** Told that something could not be deleted. */
  failed(what: PrunedKind, error: unknown): void;
  /** Told when everything was pruned that may be. */
  finished(): void;
}
