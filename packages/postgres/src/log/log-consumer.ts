import { isEventError } from '@waybill/core';
import { Outlet, runOutsideScope, Wake } from '@waybill/core/adapter';
import type { Clock, Ids, Observer } from '@waybill/core';
import type { Consumer, Deliver, Subscription } from '@waybill/core/adapter';

import type { LogDelivery } from './log-delivery.ts';
import type { GroupPartition, LogGroup } from './log-group.ts';
import type { LogHeads } from './log-heads.ts';
import type { LogSeats } from './log-seats.ts';
import { LogTenure } from './log-tenure.ts';
import type { LogTiming } from './log-tenure.ts';

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
  };
  readonly clock: Clock;
  readonly ids: Ids;
  readonly observe: Observer;
  readonly onClose: () => void;
}

/** A subscription of a group: consumes while it owns the group, and stands by while it does not. */
export class LogConsumer implements Consumer {
  readonly finished: Promise<void>;
  readonly #options: LogConsumerOptions;
  readonly #outlet: Outlet<LogDelivery>;
  readonly #wake = new Wake();
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #tenure: LogTenure | undefined;
  /** Kept from try to try: a claim whose answer got lost may have succeeded. */
  #nextToken: string | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: LogConsumerOptions) {
    const { subscription, deliver, heads, seats } = options;
    this.#options = options;
    this.#outlet = new Outlet({
      deliver,
      maxInFlight: subscription.maxInFlight,
      onRoom: () => this.#wake.call(),
    });
    const unwatch = heads.watch(() => this.#wake.call());
    const leave = seats.standBy(() => this.#wake.call());
    this.#running = runOutsideScope(() => this.#run()).finally(() => {
      unwatch();
      leave();
      options.onClose();
    });
    this.finished = this.#running;
    // Whoever does not wait for the end need not hear of a bad one either.
    this.finished.catch(() => {});
  }

  pause(): void {
    this.#outlet.pause();
  }

  resume(): void {
    this.#outlet.resume();
  }

  setMaxInFlight(maxInFlight: number): void {
    this.#outlet.setMaxInFlight(maxInFlight);
  }

  close(): Promise<void> {
    this.#closed ??= runOutsideScope(() => this.#close());
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#wake.call();
    try {
      await this.#tenure?.stop();
    } finally {
      await this.#running.catch(() => {});
    }
  }

  async #run(): Promise<void> {
    const { group, seats } = this.#options;
    try {
      while (!this.#closing.signal.aborted) {
        const claimed = await this.#standBy();
        if (claimed) await this.#consume(claimed);
      }
    } finally {
      seats.leave(group.name, this);
    }
  }

  async #consume({ token, partitions }: Claimed): Promise<void> {
    const { group, heads, clock, observe, timing, alone } = this.#options;
    this.#tenure = new LogTenure({
      group,
      token,
      partitions,
      outlet: this.#outlet,
      heads,
      wake: this.#wake,
      clock,
      observe,
      timing,
      beats: !alone,
    });
    if (this.#closing.signal.aborted) return await this.#tenure.stop();
    await this.#tenure.run();
  }

  /** Waits until the group is free, and takes it. @returns Nothing if it was closed meanwhile. */
  async #standBy(): Promise<Claimed | undefined> {
    const { group, observe, clock, timing } = this.#options;
    while (!this.#closing.signal.aborted) {
      try {
        const claimed = await this.#tryClaim();
        if (claimed) return claimed;
      } catch (error) {
        observe({ kind: 'consume-failed', group: group.name, error });
        if (!isEventError(error) || !error.retryable) throw error;
      }
      const cancel = clock.schedule(timing.standbyMs, () => this.#wake.call());
      await this.#wake.wait();
      cancel();
    }
    return undefined;
  }

  async #tryClaim(): Promise<Claimed | undefined> {
    const { group, seats, alone, ownerLock, ids, observe, subscription, timing } = this.#options;
    if (!seats.take(group.name, this)) return undefined;
    const token = (this.#nextToken ??= ids());
    const occupant = await group.occupant(token);
    if (occupant && !occupant.free && !alone) return undefined;
    const { worker } = subscription;
    const { leaseMs } = timing;
    const partitions = await group.claim({ token, worker, ownerLock, leaseMs, force: alone });
    if (!partitions) return undefined;
    this.#nextToken = undefined;
    if (occupant && !occupant.released) {
      observe({ kind: 'took-over', group: group.name, what: `the log, from ${occupant.worker}` });
    }
    return { token, partitions };
  }
}

interface Claimed {
  readonly token: string;
  readonly partitions: readonly GroupPartition[];
}
