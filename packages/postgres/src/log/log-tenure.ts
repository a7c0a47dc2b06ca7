import { EventError, isEventError } from '@waybill/core';
import { CommitPacer, LeaseKeeper, shareOut } from '@waybill/core/adapter';
import type { Commit, ConsumerShell, Range } from '@waybill/core/adapter';

import { LogDelivery } from './log-delivery.ts';
import { LogOwnership } from './log-ownership.ts';
import { passes } from './log-passing.ts';
import { handedOutUpTo, LogPosition, type TakenBack } from './log-position.ts';
import { maxRowsAtOnce } from './log-rows.ts';
import type { LogRow } from './log-rows.ts';
import { LogSettlements } from './log-settlements.ts';
import type { LogTenureOptions } from './log-tenure-options.ts';

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
  readonly #pacer: CommitPacer<LogPosition>;
  readonly #keeper: LeaseKeeper;
  /** What is taken back at the end of what was noted as handed out, by partition. */
  #takenBack: ReadonlyMap<number, TakenBack> = new Map();
  readonly #own: LogOwnership;
  readonly #settlements: LogSettlements;
  #isolating: boolean;
  /** When it was looked last whether the database is still the same; see `LogHeads.epoch`. */
  #epoch: number | undefined;
  /** Which database it was then, as far as can be told without a look at the group. */
  #version: string | undefined;
  #turn = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(options: LogTenureOptions) {
    const { partitions, timing, clock, consumer, sources, group, token, judgement } = options;
    this.#options = options;
    const positions = partitions.map((partition) => new LogPosition(partition, timing));
    this.#positions = new Map(positions.map((position) => [position.partition, position]));
    const { aliveAt } = partitions[0]!;
    this.#own = new LogOwnership({ group, token, aliveAt, positions: this.#positions });
    this.#settlements = new LogSettlements(this.#own, judgement);
    this.#isolating = positions.some((position) => position.isRepeatedly);
    if (this.#isolating) for (const position of positions) position.forgetNoted();
    this.#pacer = new CommitPacer({
      positions: () => this.#positions.values(),
      clock,
      everyMs: timing.commitEveryMs,
      write: (commits) => this.#commit(commits),
      onRefused: () => this.#refused('watermark'),
      onFailed: (error) => consumer.failed(error, sources.committing),
      onConfirmed: () => consumer.wake.call(),
    });
    this.#keeper = this.#newKeeper();
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

  /** Where this owner has come to. */
  get positions(): Iterable<LogPosition> {
    return this.#positions.values();
  }

  /** When it was seen last that the database is as this owner has left it, in seconds by its clock. */
  get aliveAt(): number {
    return this.#own.aliveAt;
  }

  /** Ends in good order: what was settled is written, what was not goes to the next owner. */
  async stop(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#end();
    await this.#running;
    this.#takenBack = handedOutUpTo(this.#unhanded, this.#positions, this.#isolating);
    const last = new Set([...this.#takenBack.keys()].map((each) => this.#positions.get(each)!));
    await this.#settlements.end(this.#options.clock, () => this.#pacer.writeLast(last));
  }

  settle(delivery: LogDelivery): void {
    if (this.#ended.signal.aborted || !this.#outlet.settle(delivery)) return;
    this.#settlements.add(delivery);
    this.#positions.get(delivery.partition)!.finish(delivery.offset);
    this.#pacer.request();
  }

  async fence(tx: object): Promise<void> {
    try {
      await this.#own.fence(tx);
    } catch (error) {
      if (isEventError(error, 'CLAIM_LOST')) this.#refused('fence');
      throw error;
    }
  }

  get #outlet(): ConsumerShell<LogDelivery>['outlet'] {
    return this.#options.consumer.outlet;
  }

  async #feedAndBeat(): Promise<void> {
    const { beats, sources } = this.#options;
    if (beats) this.#keeper.start();
    try {
      await this.#feed();
    } finally {
      this.#end();
      // What was being read when the end came was not handed out either.
      this.#unhanded.push(...this.#outlet.clear());
      for (const source of Object.values(sources)) source.gotOn();
    }
  }

  async #feed(): Promise<void> {
    const { consumer, sources } = this.#options;
    let prepared = false;
    await consumer.repeat({
      source: sources.reading,
      signal: this.#ended.signal,
      passes,
      work: async () => {
        prepared ||= await this.#prepare();
        await this.#lookAgain();
        this.#outlet.handOut();
        return (await this.#fetchMore()) ? 'again' : 'wait';
      },
    });
  }

  /** @returns False if there is nothing to read, or no room for it. */
  async #fetchMore(): Promise<boolean> {
    if (this.#ended.signal.aborted) return false;
    if (this.#isDisplaced()) {
      await this.#giveUp();
      return false;
    }
    if (this.#isolating) {
      const suspect = [...this.#positions.values()].find((position) => position.hasSuspects);
      if (suspect) return await this.#fetchSuspect(suspect);
      this.#isolating = !this.#outlet.isEmpty;
      if (this.#isolating) return false;
    }
    const ranges = this.#ranges();
    if (ranges.length === 0) return false;
    await this.#read(ranges, () => this.#own.fetch(ranges));
    return true;
  }

  /** One delivery at a time in the whole group, so that one which kills its process is counted alone. */
  async #fetchSuspect(position: LogPosition): Promise<boolean> {
    if (!this.#outlet.isEmpty || this.#outlet.room === 0) return false;
    await this.#pacer.write();
    if (this.#ended.signal.aborted) return false;
    const { partition, next: from } = position;
    await this.#read([{ partition, from, take: 1 }], () => this.#own.fetchAlone(position));
    return true;
  }

  #ranges(): Range[] {
    const { heads } = this.#options;
    const ready = [...this.#positions.values()]
      .map(({ partition, next, allowance }) => ({
        partition,
        from: next,
        available: Math.min(Number(heads.of(partition) - next), allowance),
      }))
      .filter(({ available }) => available > 0);
    this.#turn += 1;
    return shareOut(ready, Math.min(this.#outlet.room, maxRowsAtOnce), this.#turn);
  }

  async #read(ranges: readonly Range[], fetch: () => Promise<LogRow[]>): Promise<void> {
    const rows = await this.#options.sources.reading.watch(fetch);
    for (const { partition, from } of ranges) {
      const first = rows.find((row) => row.partition === partition)?.log_offset;
      if (first === undefined) await this.#missed(partition, from);
      else if (first !== from) this.#warnOfGap(partition, from, first);
    }
    this.#outlet.add(rows.map((row) => this.#begin(row)));
  }

  #begin(row: LogRow): LogDelivery {
    const position = this.#positions.get(row.partition)!;
    position.beginRow(row);
    const deliveries = position.deliveriesBefore(row.log_offset);
    const mayBeRepeated = position.mayBeRepeated(row.log_offset);
    return new LogDelivery(row, { deliveries, mayBeRepeated, position }, this);
  }

  /** Nothing came where something lies, as was thought: the group is lost, or the rows are, or the log is shorter. */
  async #missed(partition: number, from: bigint): Promise<void> {
    const { group, heads } = this.#options;
    if (!(await this.#own.beat())) return this.#refused('fetch');
    const { first, end } = await group.place({ partition, from });
    if (end <= from) return await heads.refresh();
    if (first === from) return;
    const until = first ?? end;
    this.#positions.get(partition)!.passOver(until);
    this.#warnOfGap(partition, from, until);
    this.#pacer.request();
  }

  #warnOfGap(partition: number, from: bigint, until: bigint): void {
    const { group, observe } = this.#options;
    observe({
      kind: 'warning',
      code: 'LOG_GAP',
      message: `group ${group.name} goes on at offset ${until} of partition ${partition}: the rows from ${from} on were deleted before it had read them`,
    });
  }

  /** Sees how far the log reaches, and from here on tells apart one by one what was handed out before. */
  async #prepare(): Promise<true> {
    const { heads, sources } = this.#options;
    await sources.reading.watch(() => heads.refresh());
    if (this.#isDisplaced()) return true;
    if (this.#isolating && !(await this.#own.isolate())) this.#refused('fetch');
    return true;
  }

  /**
   * Before the first read of each new connection: it may lead to another database, or to an older state of this
   * one. What a server that goes on from an earlier state has kept of what was finished, nobody can tell.
   */
  async #lookAgain(): Promise<void> {
    const { heads, sources } = this.#options;
    const { epoch, version } = heads;
    if (epoch === this.#epoch || this.#ended.signal.aborted) return;
    if (version !== (this.#version ??= version)) return await this.#giveUp();
    if (!(await sources.reading.watch(() => this.#own.beat()))) return this.#refused('connection');
    this.#epoch = epoch;
  }

  /** True if the log has become shorter than what was handed out of it. */
  #isDisplaced(): boolean {
    const { heads } = this.#options;
    return [...this.positions].some(({ partition, reached }) => reached > heads.of(partition));
  }

  /** Leaves the group to whoever claims it next, and looks then what is to be done. */
  async #giveUp(): Promise<void> {
    this.#end();
    await this.#own.release();
  }

  async #commit(commits: readonly Commit<LogPosition>[]): Promise<boolean> {
    const { committing } = this.#options.sources;
    return await committing.watch(() => this.#settlements.write(commits, this.#takenBack));
  }

  /** Shows the others that this process is awake, and finds out if they thought otherwise. */
  #newKeeper(): LeaseKeeper {
    const { group, clock, timing, consumer, sources } = this.#options;
    const { leaseMs } = timing;
    return new LeaseKeeper({
      leaseMs,
      clock,
      renew: () => sources.beating.watch(() => this.#own.beat()),
      onLost: () => {
        // The last watermark takes back what was not handed out, and tells by itself if it is refused.
        if (this.#takenBack.size === 0) this.#refused('heartbeat');
      },
      onFailed: (error) => consumer.failed(error, sources.beating),
      onLapsed: () => {
        const message = `group ${group.name} has given no sign of life for ${leaseMs} ms; somebody else may have it by now`;
        consumer.failed(
          new EventError('CLAIM_LOST', message, { key: group.name }),
          sources.beating,
        );
        this.#end();
      },
    });
  }

  #refused(what: string): void {
    this.#options.observe({ kind: 'stale-refused', group: this.#options.group.name, what });
    this.#end();
  }

  /** From here on nothing is handed out, and nothing that was handed out is this owner's any more. */
  #end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#pacer.stop();
    this.#keeper.stop();
    this.#unhanded.push(...this.#outlet.clear());
    this.#options.consumer.wake.call();
  }
}
