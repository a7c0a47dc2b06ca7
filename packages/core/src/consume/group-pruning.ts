import type { Clock } from '../clock.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import type { HealthReasons } from '../health.ts';
import type { Observer } from '../observer.ts';
import type { PrunedGroup, PrunedKind, Pruner, Pruning } from './pruner.ts';
import type { HandoverQueue } from '../transport/handover-queue.ts';
import { TroubleReporter } from '../trouble.ts';
import { unfinishedForMs } from './unfinished-for.ts';
import type { Warnings } from '../warnings.ts';

export interface GroupPruningOptions {
  readonly options: ConsumerGroupOptions;
  readonly group: string;
  readonly handovers: readonly HandoverQueue[];
  readonly warnings: Warnings;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly reasons: HealthReasons;
}

/** Has the database of a group pruned while it runs, and says what becomes of that; `undefined` where nobody prunes. */
export function startPruning(given: GroupPruningOptions): Pruning | undefined {
  const { pruner } = given.options;
  if (!pruner) return undefined;
  const pruned = new GroupToPrune(given, pruner);
  const pruning = pruner.start(pruned);
  return {
    async stop() {
      await pruning.stop();
      pruned.end();
    },
  };
}

class GroupToPrune implements PrunedGroup {
  readonly group: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly #given: GroupPruningOptions;
  readonly #pruner: Pruner;
  readonly #trouble: TroubleReporter;

  constructor(given: GroupPruningOptions, pruner: Pruner) {
    const { group, clock, options } = given;
    this.group = group;
    this.clock = clock;
    this.random = options.random ?? Math.random;
    this.#given = given;
    this.#pruner = pruner;
    this.#trouble = new TroubleReporter({ ...given, who: 'pruner', name: group });
  }

  async unfinishedForMs(): Promise<number | undefined> {
    const { group, options, handovers, clock } = this.#given;
    const { transport, deadLetters } = options;
    const ageMs = await unfinishedForMs({
      group,
      transport,
      deadLetters: deadLetters && this.#pruner.covers(deadLetters) ? undefined : deadLetters,
      handovers: handovers.filter((queue) => !this.#pruner.covers(queue)),
      nowMs: clock.now(),
    });
    if (ageMs === undefined) this.#warnOfHeldBack();
    return ageMs;
  }

  pruned(what: PrunedKind, count: number): void {
    if (count > 0) this.#given.observe({ kind: 'pruned', what, group: this.#owner(what), count });
  }

  failed(what: PrunedKind, error: unknown): void {
    this.#given.observe({ kind: 'prune-failed', what, group: this.#owner(what), error });
    this.#trouble.begin(error);
  }

  finished(): void {
    this.#trouble.end();
  }

  /** Its trouble is over without having ended well. */
  end(): void {
    this.#given.reasons.remove(this.#trouble);
  }

  #owner(what: PrunedKind): string | undefined {
    return what === 'idempotency-keys' ? undefined : this.group;
  }

  #warnOfHeldBack(): void {
    const { group, warnings, options } = this.#given;
    warnings.once(
      'PRUNE_HELD_BACK',
      group,
      `nothing of group ${group} is pruned: ${options.transport.name} cannot tell how old the oldest event is that it has not finished`,
    );
  }
}
