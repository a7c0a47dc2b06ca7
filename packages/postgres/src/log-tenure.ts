import { isEventError } from '@waybill/core';
import type { Clock, Observer } from '@waybill/core';

import { LogDelivery } from './log-delivery.ts';
import type { GroupPartition, LogGroup, LogRow, Range } from './log-group.ts';
import type { LogHeads } from './log-heads.ts';
import type { LogOutlet } from './log-outlet.ts';
import { LogPosition } from './log-position.ts';
import { shareOut } from './share-out.ts';
import type { Wake } from './wake.ts';

/** What all consumers of a transport have in common. */
export interface LogTiming {
  /** How often the watermark is written, in milliseconds. */
  readonly commitEveryMs: number;
  /** After this long without a sign of life the group goes to another process, in milliseconds. */
  readonly leaseMs: number;
  /** Pause after the database could not be reached, in milliseconds. */
  readonly retryMs: number;
  /** Most offsets that may be read beyond an unfinished one of the same partition. */
  readonly maxAhead: number;
}

export interface LogTenureOptions {
  readonly group: LogGroup;
  readonly token: string;
  readonly partitions: readonly GroupPartition[];
  readonly outlet: LogOutlet;
  readonly heads: LogHeads;
  readonly wake: Wake;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly timing: LogTiming;
  /** False where this process is the only one, so that nobody could take over. */
  readonly beats: boolean;
}

/** Most rows that one statement reads. */
const maxRowsAtOnce = 1_000;

/**
 * One period in which this process consumes for a group: from the claim until it is closed, or until
 * somebody else has taken over.
 */
export class LogTenure {
  readonly #options: LogTenureOptions;
  readonly #positions: ReadonlyMap<number, LogPosition>;
  readonly #ended = new AbortController();
  /** Read and never handed out. */
  readonly #unhanded: LogDelivery[] = [];
  #isolating: boolean;
  #turn = 0;
  #running: Promise<void> = Promise.resolve();
  #committing: Promise<void> = Promise.resolve();
  #commitIsDue = false;

  constructor(options: LogTenureOptions) {
    this.#options = options;
    const positions = options.partitions.map((partition) => new LogPosition(partition));
    this.#positions = new Map(positions.map((position) => [position.partition, position]));
    this.#isolating = positions.some((position) => position.isRepeatedly);
  }

  /**
   * Reads and hands out. Resolves when the group was lost, or after `stop`.
   *
   * @throws {EventError} What makes it pointless to go on.
   */
  run(): Promise<void> {
    const { heads } = this.#options;
    for (const position of this.#positions.values()) position.assertWithin(heads);
    this.#running = this.#feedAndBeat();
    return this.#running;
  }

  /** Ends in good order: what was settled is written, what was not goes to the next owner. */
  async stop(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#end();
    await this.#running;
    await this.#committing;
    await this.#writeMarks(firstOffsets(this.#unhanded));
    await this.#options.group.release(this.#options.token);
  }

  settle(delivery: LogDelivery): void {
    if (this.#ended.signal.aborted || !this.#options.outlet.settle(delivery)) return;
    this.#positions.get(delivery.partition)!.finish(delivery.offset);
    this.#requestCommit();
  }

  async fence(tx: object): Promise<void> {
    const { group, token } = this.#options;
    try {
      await group.fence(tx, token);
    } catch (error) {
      if (isEventError(error, 'CLAIM_LOST')) this.#refused('fence');
      throw error;
    }
  }

  async #feedAndBeat(): Promise<void> {
    const beating = this.#options.beats ? this.#beat() : undefined;
    try {
      await this.#feed();
    } finally {
      this.#end();
      // What was being read when the end came was not handed out either.
      this.#unhanded.push(...this.#options.outlet.clear());
      await beating;
    }
  }

  async #feed(): Promise<void> {
    const { outlet, wake, clock, timing } = this.#options;
    const { signal } = this.#ended;
    let isolated = !this.#isolating;
    while (!signal.aborted) {
      try {
        isolated ||= await this.#isolate();
        outlet.handOut();
        if (!(await this.#fetchMore())) await wake.wait();
      } catch (error) {
        this.#failed(error);
        if (!passes(error)) throw error;
        await clock.sleep(timing.retryMs, signal);
      }
    }
  }

  /** @returns False if there is nothing to read, or no room for it. */
  async #fetchMore(): Promise<boolean> {
    if (this.#isolating) {
      const suspect = [...this.#positions.values()].find((position) => position.hasSuspects);
      if (suspect) return await this.#fetchSuspect(suspect);
      this.#isolating = !this.#options.outlet.isEmpty;
      if (this.#isolating) return false;
    }
    const ranges = this.#ranges();
    if (ranges.length === 0) return false;
    const { group, token } = this.#options;
    await this.#take(ranges, await group.fetch(token, ranges));
    return true;
  }

  /** One delivery at a time in the whole group, so that one which kills its process is counted alone. */
  async #fetchSuspect(position: LogPosition): Promise<boolean> {
    const { group, token, outlet } = this.#options;
    if (!outlet.isEmpty || outlet.room === 0) return false;
    await this.#commitNow();
    if (this.#ended.signal.aborted) return false;
    const { partition, next: from } = position;
    const rows = await group.fetchAlone(
      token,
      { partition, from },
      position.deliveriesBefore(from),
    );
    await this.#take([{ partition, from, take: 1 }], rows);
    return true;
  }

  #ranges(): Range[] {
    const { heads, outlet, timing } = this.#options;
    const ready = [...this.#positions.values()]
      .map(({ partition, next, ahead }) => ({
        partition,
        from: next,
        available: ahead < timing.maxAhead ? Number(heads.of(partition) - next) : 0,
      }))
      .filter(({ available }) => available > 0);
    this.#turn += 1;
    return shareOut(ready, Math.min(outlet.room, maxRowsAtOnce), this.#turn);
  }

  async #take(ranges: readonly Range[], rows: readonly LogRow[]): Promise<void> {
    for (const { partition, from } of ranges) {
      const first = rows.find((row) => row.partition === partition)?.log_offset;
      if (first !== from) await this.#missed(partition, from, first);
    }
    this.#options.outlet.add(rows.map((row) => this.#begin(row)));
  }

  #begin(row: LogRow): LogDelivery {
    const position = this.#positions.get(row.partition)!;
    position.begin(row.log_offset);
    return new LogDelivery(row, position.deliveriesBefore(row.log_offset) + 1, this);
  }

  /** Nothing came where something lies: either the group is lost, or the rows are. */
  async #missed(partition: number, from: bigint, first: bigint | undefined): Promise<void> {
    const { group, token, heads, observe } = this.#options;
    if (first === undefined && !(await group.heartbeat(token))) return this.#refused('fetch');
    const until = first ?? heads.of(partition);
    if (first === undefined) this.#positions.get(partition)!.skipTo(until);
    observe({
      kind: 'warning',
      code: 'LOG_GAP',
      message: `group ${group.name} goes on at offset ${until} of partition ${partition}: the rows from ${from} on were deleted before it had read them`,
    });
    this.#requestCommit();
  }

  /** What was handed out before is told apart one by one from here on. */
  async #isolate(): Promise<true> {
    const { group, token } = this.#options;
    if (!(await group.isolate(token))) this.#refused('fetch');
    return true;
  }

  #requestCommit(): void {
    if (this.#commitIsDue) return;
    this.#commitIsDue = true;
    const { clock, timing } = this.#options;
    clock.schedule(timing.commitEveryMs, () => {
      if (!this.#ended.signal.aborted) void this.#commitNow();
    });
  }

  /** Writes one watermark after the other; never rejects. */
  #commitNow(): Promise<void> {
    this.#commitIsDue = false;
    this.#committing = this.#committing
      .then(() => this.#writeMarks())
      .catch((error: unknown) => {
        this.#failed(error);
        this.#requestCommit();
      });
    return this.#committing;
  }

  async #writeMarks(unhanded: ReadonlyMap<number, bigint> = new Map()): Promise<void> {
    const { group, token } = this.#options;
    const marks = [...this.#positions.values()]
      .map((position) => ({
        position,
        partition: position.partition,
        committed: position.watermark,
        fetched: this.#handedOutUpTo(position, unhanded.get(position.partition)),
      }))
      .filter(({ position, committed, fetched }) => {
        return committed > position.committed || fetched !== undefined;
      });
    if (marks.length === 0) return;
    if (!(await group.commit(token, marks))) return this.#refused('watermark');
    for (const { position, committed } of marks) position.committed = committed;
  }

  /** Where the offsets end that were handed out; what a former owner had handed out stays noted. */
  #handedOutUpTo({ claimed }: LogPosition, unhanded: bigint | undefined): bigint | undefined {
    if (unhanded === undefined || this.#isolating) return unhanded;
    return unhanded > claimed.fetched ? unhanded : claimed.fetched;
  }

  /** Shows the others that this process is awake, and finds out if they thought otherwise. */
  async #beat(): Promise<void> {
    const { group, token, clock, timing } = this.#options;
    const { signal } = this.#ended;
    let lastBeatMs = clock.now();
    while (!signal.aborted) {
      await clock.sleep(timing.leaseMs / 3, signal);
      if (signal.aborted) return;
      try {
        if (!(await group.heartbeat(token))) return this.#refused('heartbeat');
        lastBeatMs = clock.now();
      } catch (error) {
        this.#failed(error);
        // Somebody else may own the group by now, and there is no way to ask.
        if (clock.now() - lastBeatMs >= timing.leaseMs) return this.#end();
      }
    }
  }

  #refused(what: string): void {
    this.#options.observe({ kind: 'stale-refused', group: this.#options.group.name, what });
    this.#end();
  }

  /** From here on nothing is handed out, and nothing that was handed out is this owner's any more. */
  #end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#unhanded.push(...this.#options.outlet.clear());
    this.#options.wake.call();
  }

  #failed(error: unknown): void {
    this.#options.observe({ kind: 'consume-failed', group: this.#options.group.name, error });
  }
}

/** The lowest offset of each partition. */
function firstOffsets(deliveries: readonly LogDelivery[]): Map<number, bigint> {
  const first = new Map<number, bigint>();
  for (const { partition, offset } of deliveries) {
    if (offset < (first.get(partition) ?? offset + 1n)) first.set(partition, offset);
  }
  return first;
}

/** Says whether the same statement may succeed later. */
function passes(error: unknown): boolean {
  return isEventError(error) && error.retryable;
}
