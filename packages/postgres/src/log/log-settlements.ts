import { type Commit, type Judgement, SettledBatch } from '@waybill/core/adapter';

import type { LogDelivery } from './log-delivery.ts';
import type { LogOwnership } from './log-ownership.ts';
import type { LogPosition } from './log-position.ts';

/** Writes watermarks under the registry as it is: what lies below them was left for every handler that wants it. */
export class LogSettlements {
  readonly #own: LogOwnership;
  /** Settled, and not below a watermark that was confirmed. */
  readonly #settled: SettledBatch<LogDelivery>;

  constructor(own: LogOwnership, judgement: Judgement | undefined) {
    this.#own = own;
    this.#settled = new SettledBatch(judgement);
  }

  add(delivery: LogDelivery): void {
    this.#settled.add(delivery);
  }

  /**
   * @param takenBack Where `fetched_offset` goes back to, by partition.
   * @returns False if somebody else has the group, or an older state was put back.
   * @throws What `Judgement.renew` and the database throw.
   */
  async write(
    commits: readonly Commit<LogPosition>[],
    takenBack: ReadonlyMap<number, bigint>,
  ): Promise<boolean> {
    const settled = this.#settled.list();
    for (let refused: string | undefined; ;) {
      const version = await this.#settled.judge(settled, refused);
      const outcome = await this.#own.commit(commits, takenBack, version);
      if (outcome !== 'outdated') {
        this.#forget(settled, commits);
        return outcome === 'written';
      }
      refused = version;
    }
  }

  #forget(settled: readonly LogDelivery[], commits: readonly Commit<LogPosition>[]): void {
    const ends = new Map(commits.map(({ position, upTo }) => [position.partition, upTo]));
    this.#settled.remove(
      settled.filter(({ partition, offset }) => offset < (ends.get(partition) ?? 0n)),
    );
  }
}
