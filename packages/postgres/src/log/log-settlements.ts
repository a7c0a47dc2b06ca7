import { EventError, type Clock } from '@waybill/core';
import { type Commit, type Judgement, SettledBatch } from '@waybill/core/adapter';

import type { LogDelivery } from './log-delivery.ts';
import type { LogOwnership } from './log-ownership.ts';
import type { LogPosition, TakenBack } from './log-position.ts';
import { logTransport } from './log-tables.ts';

/** Longest wait of a close for what is judged anew, in milliseconds: it leaves time to release the group. */
const longestJudgingMs = 3_000;

/** Writes watermarks under the registry as it is: what lies below them was left for every handler that wants it. */
export class LogSettlements {
  readonly #own: LogOwnership;
  readonly #judgement: Judgement | undefined;
  /** Settled, and not below a watermark that was confirmed. */
  readonly #settled: SettledBatch<LogDelivery>;
  /** What is being judged, one batch at a time. */
  #judging: PromiseWithResolvers<string | undefined> | undefined;
  /** Why nobody waits for that any longer. */
  #givenUp: EventError | undefined;

  constructor(own: LogOwnership, judgement: Judgement | undefined) {
    this.#own = own;
    this.#judgement = judgement;
    this.#settled = new SettledBatch(judgement);
  }

  add(delivery: LogDelivery): void {
    this.#settled.add(delivery);
  }

  /**
   * @param takenBack What is taken back of what was noted as handed out, by partition.
   * @returns False if somebody else has the group, or an older state was put back.
   * @throws What `Judgement.renew` and the database throw.
   */
  async write(
    commits: readonly Commit<LogPosition>[],
    takenBack: ReadonlyMap<number, TakenBack>,
  ): Promise<boolean> {
    const settled = this.#settled.list();
    for (let refused: string | undefined; ;) {
      const version = await this.#judge(settled, refused);
      const outcome = await this.#own.commit(commits, takenBack, version);
      if (outcome !== 'outdated') {
        this.#forget(settled, commits);
        return outcome === 'written';
      }
      refused = version;
    }
  }

  /**
   * Runs the last `write`, which does not wait for what is judged without an end, and releases the group whatever
   * became of it.
   *
   * @throws {EventError} `TRANSPORT_UNAVAILABLE` if that took too long; what the write and the database throw.
   */
  async end(clock: Clock, writeLast: () => Promise<void>): Promise<void> {
    const message = `what was settled could not be judged anew within ${longestJudgingMs} ms of the close; it comes again`;
    const cancel = clock.schedule(longestJudgingMs, () => {
      const details = { transport: logTransport };
      this.#givenUp = new EventError('TRANSPORT_UNAVAILABLE', message, details);
      this.#judging?.reject(this.#givenUp);
    });
    try {
      await writeLast().finally(cancel);
    } finally {
      await this.#own.release();
    }
  }

  async #judge(
    settled: readonly LogDelivery[],
    refused: string | undefined,
  ): Promise<string | undefined> {
    if (!this.#judgement) return undefined;
    if (this.#givenUp) throw this.#givenUp;
    const judging = Promise.withResolvers<string | undefined>();
    this.#judging = judging;
    this.#settled.judge(settled, refused).then(judging.resolve, judging.reject);
    return await judging.promise.finally(() => (this.#judging = undefined));
  }

  #forget(settled: readonly LogDelivery[], commits: readonly Commit<LogPosition>[]): void {
    const ends = new Map(commits.map(({ position, upTo }) => [position.partition, upTo]));
    this.#settled.remove(
      settled.filter(({ partition, offset }) => offset < (ends.get(partition) ?? 0n)),
    );
  }
}
