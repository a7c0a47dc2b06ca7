import type { Commit, Range } from '@waybill/core/adapter';

import type { LogGroup, Owner } from './log-group.ts';
import type { LogPosition, TakenBack } from './log-position.ts';
import type { LogRow } from './log-rows.ts';
import type { WatermarkOutcome } from './log-watermarks.ts';

export interface LogOwnershipOptions {
  readonly group: LogGroup;
  readonly token: string;
  /** When it was claimed, in seconds by the database's clock. */
  readonly aliveAt: number;
  readonly positions: ReadonlyMap<number, LogPosition>;
}

/**
 * A claimed group: every statement of its owner, with what the owner remembers of those before. The database
 * refuses them once somebody else has the group, or once it is not as the owner has left it.
 */
export class LogOwnership {
  readonly token: string;
  readonly #group: LogGroup;
  readonly #positions: ReadonlyMap<number, LogPosition>;
  #aliveAt: number;

  constructor({ group, token, aliveAt, positions }: LogOwnershipOptions) {
    this.token = token;
    this.#group = group;
    this.#aliveAt = aliveAt;
    this.#positions = positions;
  }

  /** The last sign of life that was confirmed, in seconds by the database's clock. */
  get aliveAt(): number {
    return this.#aliveAt;
  }

  /** Reads rows and notes that they are handed out. */
  async fetch(ranges: readonly Range[]): Promise<LogRow[]> {
    const own = ranges.map((range) => ({ ...range, noted: this.#notedIn(range.partition) }));
    return await this.#group.fetch(this.token, own);
  }

  /** Reads the next row of a partition, and notes that it is the only one that is handed out. */
  async fetchAlone(position: LogPosition): Promise<LogRow[]> {
    const { partition, next: from } = position;
    const range = { partition, from, noted: this.#notedIn(partition) };
    return await this.#group.fetchAlone(this.token, range, position.deliveriesBefore(from));
  }

  /** Before rows are handed out one by one: forgets which others were. @returns False if it is refused. */
  async isolate(): Promise<boolean> {
    return await this.#group.isolate(this.token);
  }

  /**
   * Writes watermarks.
   *
   * @param takenBack What is taken back of what was noted as handed out, by partition.
   * @param version Of the group's registry, by which what lies below them was judged.
   */
  async commit(
    commits: readonly Commit<LogPosition>[],
    takenBack: ReadonlyMap<number, TakenBack>,
    version: string | undefined,
  ): Promise<WatermarkOutcome> {
    const marks = commits.map(({ position, upTo: committed }) => {
      // The one on its way before may have been written too, and its answer lost.
      const { ownMark, partition } = position;
      position.send(committed);
      return { ...ownMark, committed, takenBack: takenBack.get(partition) };
    });
    return await this.#group.commit(this.#owner, marks, version);
  }

  /** Shows that the owner is awake. @returns False if it is refused. */
  async beat(): Promise<boolean> {
    const marks = [...this.#positions.values()].map(({ ownMark }) => ownMark);
    const aliveAt = await this.#group.heartbeat(this.#owner, marks);
    if (aliveAt !== undefined) this.#aliveAt = aliveAt;
    return aliveAt !== undefined;
  }

  /** Gives the group up, so that the next one need not wait. */
  async release(): Promise<void> {
    await this.#group.release(this.token);
  }

  /** @throws {EventError} `CLAIM_LOST` */
  async fence(tx: object): Promise<void> {
    await this.#group.fence(tx, this.token);
  }

  get #owner(): Owner {
    return { token: this.token, aliveAt: this.#aliveAt };
  }

  #notedIn(partition: number): bigint {
    return this.#positions.get(partition)!.ownMark.noted;
  }
}
