import { ConsumerShell } from '@waybill/core/adapter';
import type { Clock, GroupStart, Ids, Observer } from '@waybill/core';
import type { Deliver, Subscription, TroubleSource } from '@waybill/core/adapter';

import type { LogDelivery } from './log-delivery.ts';
import type { GroupPartition, LogGroup } from './log-group.ts';
import type { LogHeads } from './log-heads.ts';
import { reportLosses, RestoredTrouble } from './log-losses.ts';
import { LogMemory } from './log-memory.ts';
import { passes } from './log-passing.ts';
import { beyondTheEnd } from './log-position.ts';
import type { LogSeats } from './log-seats.ts';
import type { GroupStanding } from './log-standing.ts';
import { logTransport } from './log-tables.ts';
import { LogTenure } from './log-tenure.ts';
import type { LogTiming, TenureSources } from './log-tenure-options.ts';
import { withinTime } from './within-time.ts';

export interface LogConsumerOptions {
  readonly group: LogGroup;
  readonly subscription: Subscription;
  readonly deliver: Deliver;
  readonly heads: LogHeads;
  readonly seats: LogSeats;
  /** Advisory lock that this process holds, or `noLock`. */
  readonly ownerLock: bigint;
  /** True where this process is the only one that can open the database. */
  readonly alone: boolean;
  readonly timing: LogTiming & {
    /** How often a consumer that stands by looks whether the group is free, in milliseconds. */
    readonly standbyMs: number;
    /** Pause after the database could not be reached, in milliseconds. */
    readonly retryMs: number;
  };
  readonly clock: Clock;
  readonly ids: Ids;
  readonly observe: Observer;
  /** Called when the group had to be made anew. */
  readonly onNewGroup: () => void;
  readonly onClose: () => void;
}

/** How far the clocks of a server and of its replica may be apart, in milliseconds. */
const clockSkewMs = 60_000;

/** A subscription of a group: consumes while it owns the group, and stands by while it does not. */
export class LogConsumer extends ConsumerShell<LogDelivery> {
  readonly #options: LogConsumerOptions;
  readonly #claiming: TroubleSource = this.source();
  readonly #sources: TenureSources = {
    reading: this.source(),
    committing: this.source(),
    beating: this.source(),
  };
  readonly #memory: LogMemory;
  readonly #restored: RestoredTrouble;
  /** True when it is to be looked whether the database went back. */
  #mayHaveGoneBack = false;
  /** True once the database went back, until the group is claimed: its owner may be one that was long ago. */
  #wentBack = false;
  #tenure: LogTenure | undefined;
  /** Kept from try to try: a claim whose answer got lost may have succeeded. */
  #nextToken: string | undefined;

  constructor(options: LogConsumerOptions) {
    const { retryMs } = options.timing;
    super({ ...options, transport: logTransport, retryMs });
    this.#options = options;
    this.#restored = new RestoredTrouble(this, options.clock);
    this.#memory = new LogMemory(options.heads.history.falls);
    this.start();
  }

  protected override async run(): Promise<void> {
    const { group, heads, seats, onClose } = this.#options;
    const onChange = (): void => this.wake.call();
    const unwatch = heads.watch({ onChange, source: this.source() });
    const leave = seats.standBy(onChange);
    try {
      while (!this.closing.aborted) {
        const claimed = await this.#standBy();
        if (claimed) await this.#consume(claimed);
      }
    } finally {
      this.#restored.end();
      unwatch();
      leave();
      seats.leave(group.name, this);
      onClose();
    }
  }

  protected override async end(): Promise<void> {
    await withinTime(this.#options.clock, this.#leave());
  }

  async #leave(): Promise<void> {
    try {
      await this.#tenure?.stop();
    } finally {
      await this.finished.catch(() => {});
    }
  }

  async #consume({ token, partitions }: Claimed): Promise<void> {
    this.#tenure = new LogTenure({
      ...this.#options,
      consumer: this,
      sources: this.#sources,
      judgement: this.#options.subscription.judgement,
      token,
      partitions,
      beats: !this.#options.alone,
    });
    if (this.closing.aborted) return await this.#tenure.stop();
    await this.#tenure.run();
    this.#mayHaveGoneBack = true;
    this.#memory.remember(this.#tenure.positions, token);
    this.#memory.seen(this.#tenure.aliveAt);
  }

  /** Waits until the group is free, and takes it. @returns Nothing if it was closed meanwhile. */
  async #standBy(): Promise<Claimed | undefined> {
    let claimed: Claimed | undefined;
    await this.repeat({
      source: this.#claiming,
      work: async () => {
        claimed = await this.#tryClaim();
        return claimed ? 'done' : 'wait';
      },
      waitAtMostMs: this.#options.timing.standbyMs,
      passes,
    });
    return claimed;
  }

  async #tryClaim(): Promise<Claimed | undefined> {
    const { group, seats, alone, ownerLock, ids, observe, subscription, timing } = this.#options;
    // One that is paused would let the group wait, and others may be ready.
    if (this.outlet.room === 0 || !seats.take(group.name, this)) return undefined;
    const token = (this.#nextToken ??= ids());
    const occupant = await this.#claiming.watch(() => group.occupant(token, ownerLock));
    if (occupant) this.#memory.seen(occupant.aliveAt);
    const isFree = !occupant || occupant.free || alone;
    if (!isFree && !this.#mayHaveGoneBack && !this.#wentBack) return undefined;
    const standing = await this.#claiming.watch(() => this.#compare());
    if (!isFree && !(this.#wentBack && occupant.own)) return undefined;
    await this.#claiming.watch(() => this.#makeWhole(standing));
    const { worker } = subscription;
    const { leaseMs } = timing;
    const force = alone ? 'all' : this.#wentBack ? 'own' : 'none';
    const { handed } = this.#memory;
    const claim = { token, worker, ownerLock, leaseMs, force, handed } as const;
    const partitions = await this.#claiming.watch(() => group.claim(claim));
    if (!partitions) return undefined;
    this.#nextToken = undefined;
    this.#wentBack = false;
    this.#memory.claimed(partitions[0]!.aliveAt);
    if (occupant && !occupant.released) {
      observe({ kind: 'took-over', group: group.name, what: `the log, from ${occupant.worker}` });
    }
    return { token, partitions };
  }

  /** Looks where the group stands, and whether it has stood further than that. */
  async #compare(): Promise<GroupStanding> {
    const { group, heads, observe } = this.#options;
    if (this.#mayHaveGoneBack) await heads.refresh();
    const standing = await group.standing(this.#memory.lastOffsets);
    const losses = this.#memory.compare(standing, heads.history);
    this.#mayHaveGoneBack = false;
    if (losses.length === 0) return standing;
    this.#wentBack = true;
    this.#restored.begin(reportLosses(observe, group.name, losses));
    return standing;
  }

  /** Somebody may have deleted the group, to let it begin anew. @throws {EventError} `CURSOR_FOREIGN` */
  async #makeWhole(standing: GroupStanding): Promise<void> {
    const { group, onNewGroup } = this.#options;
    for (const { partition, end, group: at } of standing.partitions) {
      if (at && at.fetched > end) {
        throw beyondTheEnd(group.name, { partition, at: at.fetched, end });
      }
    }
    this.#memory.assertSameRows(group.name, standing);
    if (standing.partitions.every((each) => each.group)) return;
    if (await group.ensure(this.#startAnew(standing))) onNewGroup();
  }

  /** Where the group begins in a database that has never heard of it, although it had been there: with what came since. */
  #startAnew({ wasOwned }: GroupStanding): GroupStart {
    const { start } = this.#options.subscription;
    const { aliveAt } = this.#memory;
    if (wasOwned || aliveAt === undefined || start === 'earliest') return start;
    const since = new Date(aliveAt * 1_000 - clockSkewMs);
    return start instanceof Date && start < since ? start : since;
  }
}

interface Claimed {
  readonly token: string;
  readonly partitions: readonly GroupPartition[];
}
