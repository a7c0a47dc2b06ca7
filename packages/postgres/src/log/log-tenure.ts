import { isEventError } from '@waybill/core';
import type { Clock, Observer } from '@waybill/core';
import type { Outlet, Wake } from '@waybill/core/adapter';

import { LogDelivery } from './log-delivery.ts';
import type { GroupPartition, LogGroup, LogRow, Range } from './log-group.ts';
import type { LogHeads } from './log-heads.ts';
import { LogMarks } from './log-marks.ts';
import { LogPosition } from './log-position.ts';
import { shareOut } from './share-out.ts';

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
  readonly outlet: Outlet<LogDelivery>;
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
  readonly #marks: LogMarks;

  constructor(options: LogTenureOptions) {
    this.#options = options;
    const positions = options.partitions.map((partition) => new LogPosition(partition));
    this.#positions = new Map(positions.map((position) => [position.partition, position]));
    this.#isolating = positions.some((position) => position.isRepeatedly);
    this.#marks = new LogMarks({
      ...options,
      positions,
      everyMs: options.timing.commitEveryMs,
      onRefused: () => this.#refused('watermark'),
      onFailed: (error) => this.#failed(error),
    });
  }

  /**
   * Reads and hands out. Resolves when the group was lost, or after `stop`.
   *
   * @throws {EventError} What makes it pointless to go on.
   */
  run(): Promise<void> {
    this.#running = this.#feedAndBeat();
    return this.#running;
  }

  /** Ends in good order: what was settled is written, what was not goes to the next owner. */
  async stop(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#end();
    await this.#running;
    await this.#marks.writeLast(this.#handedOutUpTo());
    await this.#options.group.release(this.#options.token);
  }

  settle(delivery: LogDelivery): void {
    if (this.#ended.signal.aborted || !this.#options.outlet.settle(delivery)) return;
    this.#positions.get(delivery.partition)!.finish(delivery.offset);
    this.#marks.request();
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
    let prepared = false;
    while (!signal.aborted) {
      try {
        prepared ||= await this.#prepare();
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
    await this.#marks.write();
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
    const deliveries = position.deliveriesBefore(row.log_offset);
    const mayBeRepeated = position.mayBeRepeated(row.log_offset);
    return new LogDelivery(row, { deliveries, mayBeRepeated }, this);
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
    this.#marks.request();
  }

  /** Sees how far the log reaches, and from here on tells apart one by one what was handed out before. */
  async #prepare(): Promise<true> {
    const { group, token, heads } = this.#options;
    await heads.refresh();
    for (const position of this.#positions.values()) position.assertWithin(heads);
    if (this.#isolating && !(await group.isolate(token))) this.#refused('fetch');
    return true;
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

  /**
   * Where the offsets end that were handed out, in partitions of which something was read and was not.
   * What a former owner had handed out stays noted.
   */
  #handedOutUpTo(): Map<number, bigint> {
    const ends = new Map<number, bigint>();
    for (const { partition, offset } of this.#unhanded) {
      const { claimed } = this.#positions.get(partition)!;
      const end = this.#isolating || offset > claimed.fetched ? offset : claimed.fetched;
      if (end < (ends.get(partition) ?? end + 1n)) ends.set(partition, end);
    }
    return ends;
  }

  #refused(what: string): void {
    this.#options.observe({ kind: 'stale-refused', group: this.#options.group.name, what });
    this.#end();
  }

  /** From here on nothing is handed out, and nothing that was handed out is this owner's any more. */
  #end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#marks.stop();
    this.#unhanded.push(...this.#options.outlet.clear());
    this.#options.wake.call();
  }

  #failed(error: unknown): void {
    this.#options.observe({ kind: 'consume-failed', group: this.#options.group.name, error });
  }
}

/** Says whether the same statement may succeed later. */
function passes(error: unknown): boolean {
  return isEventError(error) && error.retryable;
}
