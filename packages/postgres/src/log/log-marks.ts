import type { Clock } from '@waybill/core';

import type { LogGroup } from './log-group.ts';
import type { LogPosition } from './log-position.ts';

export interface LogMarksOptions {
  readonly group: LogGroup;
  readonly token: string;
  readonly positions: readonly LogPosition[];
  readonly clock: Clock;
  readonly everyMs: number;
  /** Somebody else has the group. */
  readonly onRefused: () => void;
  /** The database could not be reached; it is tried again. */
  readonly onFailed: (error: unknown) => void;
}

/** Writes the watermarks of one owner of a group now and then, and once more at the end. */
export class LogMarks {
  readonly #options: LogMarksOptions;
  #writing: Promise<void> = Promise.resolve();
  #isDue = false;
  #stopped = false;

  constructor(options: LogMarksOptions) {
    this.#options = options;
  }

  /** Writes soon. */
  request(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const { clock, everyMs } = this.#options;
    clock.schedule(everyMs, () => {
      if (!this.#stopped) void this.write();
    });
  }

  /** Writes now, after what is being written; never rejects. */
  write(): Promise<void> {
    this.#isDue = false;
    this.#writing = this.#writing
      .then(() => this.#write(new Map()))
      .catch((error: unknown) => {
        this.#options.onFailed(error);
        this.request();
      });
    return this.#writing;
  }

  /** Writes nothing by itself any more. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Writes for the last time.
   *
   * @param fetched Takes `fetched_offset` of these partitions back to here.
   */
  async writeLast(fetched: ReadonlyMap<number, bigint>): Promise<void> {
    await this.#writing;
    await this.#write(fetched);
  }

  async #write(fetched: ReadonlyMap<number, bigint>): Promise<void> {
    const { group, token, positions } = this.#options;
    const moved = positions.filter(
      ({ partition, watermark, committed }) => watermark > committed || fetched.has(partition),
    );
    if (moved.length === 0) return;
    const marks = moved.map(({ partition, watermark: committed }) => {
      return { partition, committed, fetched: fetched.get(partition) };
    });
    if (!(await group.commit(token, marks))) return this.#options.onRefused();
    for (const [index, position] of moved.entries()) position.committed = marks[index]!.committed;
  }
}
