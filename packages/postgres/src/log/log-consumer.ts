import { isEventError } from '@waybill/core';
import { ConsumerShell } from '@waybill/core/adapter';
import type { Clock, Ids, Observer } from '@waybill/core';
import type { Deliver, Subscription, TroubleSource } from '@waybill/core/adapter';

import type { LogDelivery } from './log-delivery.ts';
import type { GroupPartition, LogGroup } from './log-group.ts';
import type { LogHeads } from './log-heads.ts';
import type { LogSeats } from './log-seats.ts';
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
  /** Advisory lock that this process holds. */
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

/** A subscription of a group: consumes while it owns the group, and stands by while it does not. */
export class LogConsumer extends ConsumerShell<LogDelivery> {
  readonly #options: LogConsumerOptions;
  readonly #claiming: TroubleSource = this.source();
  readonly #sources: TenureSources = {
    reading: this.source(),
    committing: this.source(),
    beating: this.source(),
  };
  #tenure: LogTenure | undefined;
  /** Kept from try to try: a claim whose answer got lost may have succeeded. */
  #nextToken: string | undefined;

  constructor(options: LogConsumerOptions) {
    const { retryMs } = options.timing;
    super({ ...options, transport: logTransport, retryMs });
    this.#options = options;
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
      token,
      partitions,
      beats: !this.#options.alone,
    });
    if (this.closing.aborted) return await this.#tenure.stop();
    await this.#tenure.run();
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
      // Whoever operates the log can mend that without a restart.
      passes: (error) =>
        isEventError(error) && (error.retryable || error.code === 'CURSOR_FOREIGN'),
    });
    return claimed;
  }

  async #tryClaim(): Promise<Claimed | undefined> {
    const { group, seats, alone, ownerLock, ids, observe, subscription, timing } = this.#options;
    // One that is paused would let the group wait, and others may be ready.
    if (this.outlet.room === 0 || !seats.take(group.name, this)) return undefined;
    const token = (this.#nextToken ??= ids());
    const occupant = await this.#claiming.watch(() => group.occupant(token));
    if (occupant && !occupant.free && !alone) return undefined;
    await this.#claiming.watch(() => this.#makeWhole());
    const { worker } = subscription;
    const { leaseMs } = timing;
    const claim = { token, worker, ownerLock, leaseMs, force: alone };
    const partitions = await this.#claiming.watch(() => group.claim(claim));
    if (!partitions) return undefined;
    this.#nextToken = undefined;
    if (occupant && !occupant.released) {
      observe({ kind: 'took-over', group: group.name, what: `the log, from ${occupant.worker}` });
    }
    return { token, partitions };
  }

  /** Somebody may have deleted the group, to let it begin anew. @throws {EventError} `CURSOR_FOREIGN` */
  async #makeWhole(): Promise<void> {
    const { group, subscription, onNewGroup } = this.#options;
    if (await group.stands()) return;
    if (await group.ensure(subscription.start)) onNewGroup();
  }
}

interface Claimed {
  readonly token: string;
  readonly partitions: readonly GroupPartition[];
}
