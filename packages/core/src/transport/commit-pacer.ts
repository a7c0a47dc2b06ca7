import type { Clock } from '../clock.ts';
import { GrowingDelay } from '../growing-delay.ts';
import type { CommitMark, PartitionProgress } from './partition-progress.ts';

/** A position, and how far it is to be committed. */
export interface Commit<Position> extends CommitMark {
  readonly position: Position;
}

export interface CommitPacerOptions<Position extends PartitionProgress> {
  /** All positions of the owner at the time of the call. */
  readonly positions: () => Iterable<Position>;
  readonly clock: Clock;
  /** How often something is written at most, in milliseconds. */
  readonly everyMs: number;
  /** Tells the broker. @returns False if somebody else owns the positions. */
  readonly write: (commits: readonly Commit<Position>[]) => Promise<boolean>;
  /** Somebody else owns the positions. */
  readonly onRefused: () => void;
  /** It could not be written; it is tried again. */
  readonly onFailed: (error: unknown) => void;
  /** Something was written, so a partition that has paused may go on. */
  readonly onConfirmed: () => void;
}

/** Longest pause after a write that has failed, in milliseconds; `everyMs` where that is longer. */
const longestRetryMs = 2_000;

/** Commits the watermarks of one owner now and then, one write at a time, and once more at the end. */
export class CommitPacer<Position extends PartitionProgress> {
  readonly #options: CommitPacerOptions<Position>;
  readonly #retries: GrowingDelay;
  #writing: Promise<void> = Promise.resolve();
  #isDue = false;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: CommitPacerOptions<Position>) {
    this.#options = options;
    const { everyMs } = options;
    this.#retries = new GrowingDelay({
      firstMs: everyMs,
      maxMs: Math.max(everyMs, longestRetryMs),
    });
  }

  /** Writes soon. */
  request(): void {
    if (!this.#isDue) this.#schedule(this.#options.everyMs);
  }

  /** Writes now, after what is being written; never rejects. */
  write(): Promise<void> {
    this.#isDue = false;
    this.#cancel?.();
    this.#writing = this.#writing
      .then(() => this.#write(new Set()))
      .then(
        () => this.#retries.reset(),
        (error: unknown) => {
          this.#options.onFailed(error);
          if (!this.#isDue) this.#schedule(this.#retries.next());
        },
      );
    return this.#writing;
  }

  /** Writes nothing by itself any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /**
   * Writes for the last time.
   *
   * @param also Positions that are written although they have not moved.
   * @throws What the write threw.
   */
  async writeLast(also: ReadonlySet<Position> = new Set()): Promise<void> {
    this.stop();
    await this.#writing;
    await this.#write(also);
  }

  #schedule(inMs: number): void {
    if (this.#stopped) return;
    this.#isDue = true;
    this.#cancel = this.#options.clock.schedule(inMs, () => void this.write());
  }

  async #write(also: ReadonlySet<Position>): Promise<void> {
    const { positions, write, onRefused, onConfirmed } = this.#options;
    const commits: Commit<Position>[] = [];
    for (const position of positions()) {
      const mark = position.due ?? (also.has(position) ? position.mark : undefined);
      if (mark) commits.push({ position, ...mark });
    }
    if (commits.length === 0) return;
    if (!(await write(commits))) return onRefused();
    for (const commit of commits) commit.position.confirm(commit);
    onConfirmed();
  }
}
